package main

import (
	"os"
	"path/filepath"
)

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
