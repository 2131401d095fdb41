package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// program is the path of a program that a test needs. Where it is missing the test is skipped; it
// fails instead where the environment has CI=true.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		without(t, "this test needs "+name)
	}
	return path
}

// without skips a test, or fails it where the environment has CI=true.
func without(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// run runs a program to its end and is what it wrote.
func run(t testing.TB, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var out, errors strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errors
	cmd.Env = append(cmd.Environ(), env...) // with dir as PWD
	require.NoError(t, cmd.Run(), "%s %s\n%s\n%s", filepath.Base(name), strings.Join(args, " "), &out, &errors)
	return out.String()
}

// installing keeps tests from installing the modules at the same time.
var installing sync.Mutex

// withModules is a copy of a folder beside the npm modules of tools.
func withModules(t *testing.T, folder string) string {
	t.Helper()
	npm := program(t, "npm")
	tools := filepath.Join(root(t), "tools")
	modules := filepath.Join(tools, "node_modules")
	installing.Lock()
	defer installing.Unlock()
	if !isNewer(filepath.Join(modules, ".package-lock.json"), filepath.Join(tools, "package-lock.json")) {
		run(t, tools, nil, npm, "ci", "--ignore-scripts")
	}
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(folder)))
	require.NoError(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	return dir
}

// isNewer says whether a file exists and is newer than another one.
func isNewer(path, than string) bool {
	file, err := os.Stat(path)
	if err != nil {
		return false
	}
	other, err := os.Stat(than)
	return err == nil && file.ModTime().After(other.ModTime())
}

// The audit of GraphQL over HTTP is by those who write its specification.
func TestGraphQLOverHTTP(t *testing.T) {
	t.Parallel()
	node := program(t, "node")
	s := start(t, options{})
	dir := withModules(t, "testdata/audit")
	require.Equal(t, "61 of 61\n", run(t, dir, []string{"BASE_URL=" + s.url, "API_KEY=" + s.key}, node, "audit.mjs"))
}

func TestDocumentedScripts(t *testing.T) {
	t.Parallel()
	node := program(t, "node")
	type output struct {
		Answers []struct {
			Status int
			Body   string
		}
		Code int
		Text string
	}
	script := func(t *testing.T, s *stack, name string) (out output) {
		t.Helper()
		text := run(t, "testdata/node", []string{"BASE_URL=" + s.url, "API_KEY=" + s.key}, node, name)
		require.NoError(t, json.Unmarshal([]byte(text), &out), text)
		return out
	}

	t.Run("DataFast's handler tracks a payment", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{Wrap: watched(t)})
		s.visit(t, "visitor-id-from-cookie")
		out := script(t, s, "datafast.mjs")
		require.Equal(t, 200, out.Code)
		require.Equal(t, "Payment tracked", out.Text)
		require.Len(t, out.Answers, 2)
		require.Equal(t, 200, out.Answers[0].Status)
		require.Equal(t, attributedAnswer, compact(t, out.Answers[0].Body))
		// The cookie was blocked: JSON.stringify leaves undefined out, and the payment is already known.
		require.Equal(t, `{"message":"Payment already recorded","transaction_id":"payment_456"}`, compact(t, out.Answers[1].Body))
		require.Equal(t, 1, s.count(t, "payments WHERE visitor_id = 'visitor-id-from-cookie' AND amount_minor = 2999"))
	})

	t.Run("Faurya's snippet records a payment", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{Wrap: watched(t)})
		s.visit(t, "visitor-id-from-cookie")
		out := script(t, s, "faurya.mjs")
		require.Equal(t, "Payment recorded successfully", out.Text)
		require.Equal(t, recordedAnswer, compact(t, out.Answers[0].Body))
		require.Equal(t, 1, s.count(t, `payments WHERE session_id = 'session-id-from-cookie' AND metadata->>'provider' = 'custom_checkout'`))
	})
}
