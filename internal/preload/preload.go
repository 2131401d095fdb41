// Package preload runs a Postgres whose calls of the system go through a library of ours, to see what becomes of
// Tributary on a disk that is slow, full or broken. It needs Linux and a C compiler.
package preload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// Postgres makes a directory with the programs of an installed Postgres, of which the server runs with the library
// that is compiled from the source in C, and with variables in its environment of the form NAME=value. Every user
// may run them. The caller removes the directory, also if there is an error, unless its name is empty.
func Postgres(ctx context.Context, source []byte, env ...string) (dir string, err error) {
	if runtime.GOOS != "linux" {
		return "", errors.New("this is only done on Linux")
	}
	postgres, err := Find("postgres")
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "tributary-preload-"); err != nil {
		return "", err
	}
	library := filepath.Join(dir, "preloaded.so")
	if err := os.WriteFile(library+".c", source, 0o644); err != nil {
		return dir, err
	}
	out, err := exec.CommandContext(ctx, "cc", "-shared", "-fPIC", "-o", library, library+".c", "-ldl").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("a C compiler is needed: %w: %s", err, out)
	}
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(postgres), "*")) // fails for malformed patterns only
	for _, program := range others {
		if name := filepath.Base(program); name != "postgres" {
			if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
				return dir, err
			}
		}
	}
	script := "#!/bin/sh\nexport LD_PRELOAD=" + library + "\n"
	for _, variable := range env {
		script += "export " + variable + "\n"
	}
	script += "exec " + postgres + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "postgres"), []byte(script), 0o755); err != nil {
		return dir, err
	}
	// The programs run as another user if this is root.
	return dir, os.Chmod(dir, 0o755)
}

// Find is the path of a program that is on PATH or came with Postgres.
func Find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program) // fails for malformed patterns only
	if len(found) == 0 {
		return "", fmt.Errorf("%s is needed: install it (Debian: apt-get install wrk postgresql-contrib)", program)
	}
	return slices.Max(found), nil
}
