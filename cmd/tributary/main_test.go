package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/dbtest"
)

// patience bounds every run of the program, and every wait for it.
const patience = 5 * time.Minute

// binary is the program under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tributary-binary-")
	if err == nil {
		binary = filepath.Join(dir, "tributary")
		err = build(binary)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		os.Exit(1)
	}
	dbtest.Main(m, func() { _ = os.RemoveAll(dir) })
}

// build builds the program, with the race detector if the tests have it.
func build(path string) error {
	args := []string{"build", "-ldflags", "-X main.version=v0.0.0-test", "-o", path}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	output, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}

// operator is somebody who runs commands with the same flags.
type operator struct {
	t     *testing.T
	flags []string
	env   []string
}

// onDatabase is an operator of a fresh database.
func onDatabase(t *testing.T) (op operator, dsn string) {
	t.Helper()
	dsn = dbtest.New(t)
	return operator{t: t, flags: []string{"--data-dir", t.TempDir(), "--database-url", dsn}}, dsn
}

// onDataDir is an operator who lets Tributary run its own Postgres.
func onDataDir(t *testing.T) (op operator, dir string) {
	t.Helper()
	// Not t.TempDir: it fails on files of another user, to whom root gives the database.
	dir, err := os.MkdirTemp("", "tributary-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return operator{t: t, flags: []string{"--data-dir", dir}}, dir
}

func (op operator) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	op.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, append(args, op.flags...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "TRIBUTARY_") || strings.HasPrefix(v, "OTEL_") || strings.HasPrefix(v, "DATABASE_URL=")
	}), op.env...)
	cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0") // else the race detector adds a second to each stop
	return cmd
}

// outcome is what a command left.
type outcome struct {
	stdout, stderr string
	code           int
}

func (op operator) try(args ...string) outcome {
	op.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := op.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); !errors.As(err, &failed) {
		require.NoError(op.t, err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// run is try for a command that has to succeed; it answers what the command wrote for a person.
func (op operator) run(args ...string) string {
	op.t.Helper()
	o := op.try(args...)
	require.Zero(op.t, o.code, "%s\n%s", args, o.stderr)
	return o.stdout
}

// object is a JSON object.
type object map[string]any

// ask runs a command with --json.
func (op operator) ask(args ...string) object {
	op.t.Helper()
	return decode(op.t, op.run(append(args, "--json")...))
}

func decode(t *testing.T, text string) (o object) {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, "\n"), "not one line: %s", text)
	require.NoError(t, json.Unmarshal([]byte(text), &o))
	return o
}

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// list is the objects under a name.
func (o object) list(name string) []object {
	items, _ := o[name].([]any)
	all := make([]object, len(items))
	for i, item := range items {
		all[i], _ = item.(map[string]any)
	}
	return all
}

// names are the names of an object's values.
func (o object) names() []string {
	var names []string
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// newWebsite creates a website.
func (op operator) newWebsite(domain string) (id, key string) {
	op.t.Helper()
	made := op.ask("website", "create", "--domain", domain)
	return made.text("id"), made.text("key")
}
