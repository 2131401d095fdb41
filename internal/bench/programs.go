package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// find is the path of a program that is on PATH or came with Postgres.
func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program) // fails for malformed patterns only
	if len(found) == 0 {
		return "", fmt.Errorf("%s is needed: install it (Debian: apt-get install wrk postgresql-contrib)", program)
	}
	return slices.Max(found), nil
}

// script writes embedded scripts, one after the other, to a file that a program can read, and answers its path.
func (b *bench) script(names ...string) (string, error) {
	var text []byte
	for _, name := range names {
		part, err := scripts.ReadFile("scripts/" + name)
		if err != nil {
			return "", err
		}
		text = append(text, part...)
	}
	path := filepath.Join(b.dir, filepath.Base(names[len(names)-1]))
	return path, os.WriteFile(path, text, 0o600)
}
