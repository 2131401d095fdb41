package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const repository = "../.."

// codeBlock is a fenced block of a document.
type codeBlock struct {
	remark         string // a comment right before it
	language, text string
}

// shapeOnly is the remark on output whose values differ from what a run gives.
const shapeOnly = "<!-- The values are those of one day. -->"

func codeBlocks(t *testing.T, document string) []codeBlock {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, document))
	require.NoError(t, err)
	var blocks []codeBlock
	for _, found := range regexp.MustCompile("(?ms)^(?:(<!--[^\n]*-->)\n)?```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, codeBlock{found[1], found[2], found[3]})
	}
	return blocks
}

// dryRun is what make would run for a target.
func dryRun(t *testing.T, target string) string {
	t.Helper()
	cmd := exec.Command("make", "--dry-run", "--no-print-directory", target)
	cmd.Dir = repository
	// The tests may be run by a make that says how to run others.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") })
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "make %s: %s", target, output)
	return string(output)
}

// TestReadme runs the commands of README.md, in order, on a server that is started as `make run` does
// it, and compares their output with what README.md shows. The commands of make themselves are only
// looked up: `make test` is what runs this test.
func TestReadme(t *testing.T) {
	t.Parallel()
	started := regexp.MustCompile(`(?m)bin/tributary serve(.*)$`).FindStringSubmatch(dryRun(t, "run"))
	require.NotNil(t, started, "make run does not start bin/tributary serve")

	op, dir := onDataDir(t)
	require.Contains(t, op.run("serve", "--help"), "default: 127.0.0.1:8080")
	server := op.serve(strings.Fields(started[1])...)
	demo, _ := server.place["demo"].(map[string]any)
	reader := strings.NewReplacer("http://127.0.0.1:8080", server.place.text("url"), "df_…", object(demo).text("key"))

	clone := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(clone, "bin"), 0o700))
	require.NoError(t, os.Symlink(binary, filepath.Join(clone, "bin", "tributary")))
	op.env = append(op.env, "TRIBUTARY_DATA_DIR="+dir)

	var exports strings.Builder // the terminal remembers them
	blocks, commands, outputs := codeBlocks(t, "README.md"), 0, 0
	for i, block := range blocks {
		if block.language != "sh" {
			continue
		}
		commands++
		if target, ok := strings.CutPrefix(block.text, "make "); ok {
			dryRun(t, strings.TrimSpace(target))
			continue
		}
		output := op.shell(clone, exports.String()+reader.Replace(block.text))
		if strings.HasPrefix(block.text, "export ") {
			exports.WriteString(reader.Replace(block.text))
		}
		if i+1 < len(blocks) && blocks[i+1].language == "json" {
			outputs++
			shown, got := parseJSON(t, blocks[i+1].text), parseJSON(t, output)
			if blocks[i+1].remark == shapeOnly {
				shown, got = shapeOf(shown), shapeOf(got)
			}
			require.Equal(t, shown, got, "%s", block.text)
		}
	}
	require.Positive(t, commands)
	require.Positive(t, outputs)
}

func parseJSON(t *testing.T, text string) any {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(text), &value), text)
	return value
}

// shapeOf is a JSON value with all texts and numbers left out, but for whether they are zero, and currencies.
func shapeOf(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			v[name] = shapeOf(v[name])
		}
	case []any:
		for i := range v {
			v[i] = shapeOf(v[i])
		}
	case float64:
		return v > 0
	case string:
		if len(v) == len("USD") {
			return v
		}
		return v != "0.00"
	}
	return value
}

// shell runs a script as somebody who sits in dir, and answers its output.
func (op operator) shell(dir, script string) string {
	op.t.Helper()
	path, err := exec.LookPath("sh")
	require.NoError(op.t, err)
	cmd := op.command()
	cmd.Path, cmd.Args, cmd.Dir = path, []string{"sh", "-euc", script}, dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(op.t, cmd.Run(), "%s\n%s", script, &stderr)
	return stdout.String()
}
