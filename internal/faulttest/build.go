package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed clock/clock.go.txt
var wrongClock []byte

// build builds the program, with a clock that can be turned.
func build(ctx context.Context, dir string, race bool) (binary string, err error) {
	const program = "tributary/cmd/tributary"
	source, err := sourceOf(ctx, program)
	if err != nil {
		return "", err
	}
	clock, overlay := filepath.Join(dir, "clock.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(source, "clock.go"): clock}})
	if err != nil {
		return "", err
	}
	for path, text := range map[string][]byte{clock: wrongClock, overlay: replace} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return "", err
		}
	}
	binary = filepath.Join(dir, "tributary")
	args := []string{"build", "-overlay", overlay, "-o", binary}
	if race {
		args = append(args, "-race")
	}
	out, err := exec.CommandContext(ctx, "go", append(args, program)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return binary, nil
}

// sourceOf is the directory of a package of ours.
func sourceOf(ctx context.Context, name string) (string, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", name).Output()
	if err != nil {
		return "", fmt.Errorf("find the source of %s: %w", name, err)
	}
	return strings.TrimSpace(string(dir)), nil
}
