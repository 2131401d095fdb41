// Package docs_test keeps the documents true: their links lead somewhere, and what they say about the
// code can be checked is.
package docs_test

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = ".."

// files are the files of the repository whose names end in suffix.
func files(t *testing.T, suffix string) []string {
	t.Helper()
	var paths []string
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		if entry.IsDir() && path != root && (name == "node_modules" || name == "bin" || name == "testdata" || strings.HasPrefix(name, ".")) {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, suffix) {
			paths = append(paths, path)
		}
		return err
	}))
	require.NotEmpty(t, paths)
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

var (
	fences  = regexp.MustCompile("(?ms)^```.*?^```$")
	spans   = regexp.MustCompile("`[^`]+`")
	links   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// anchors are the names by which a document's headings are linked to.
func anchors(text string) []string {
	var all []string
	for _, found := range heading.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-"))
	}
	return all
}

func TestLinks(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, path := range files(t, ".md") {
		text := spans.ReplaceAllString(fences.ReplaceAllString(read(t, path), ""), "")
		for _, found := range links.FindAllStringSubmatch(text, -1) {
			file, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(file, "://") || strings.HasPrefix(file, "mailto:") {
				continue
			}
			checked++
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, found[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s links to %s, which has no such heading", path, found[1])
			}
		}
	}
	require.Positive(t, checked)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("adr/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	form := regexp.MustCompile(`(?s)^# (\d{4}): [^\n]+\n\n\d{4}-\d{2}-\d{2}\n\n## Context\n.+\n## Decision\n.+\n## Rejected\n.+\n## Consequences\n.+$`)
	for i, path := range paths {
		found := form.FindStringSubmatch(read(t, path))
		require.NotNil(t, found, "%s must have a number, a date, Context, Decision, Rejected and Consequences", path)
		require.Equal(t, filepath.Base(path)[:4], found[1], path)
		if i > 0 {
			require.NotEqual(t, filepath.Base(paths[i-1])[:4], found[1], "two records have this number")
		}
	}
}

// TestArchitecture checks that both tables of ARCHITECTURE.md, of the folders and of the imports, have
// all packages with code, and none that is gone. Package internal/architecture checks the imports.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	text := read(t, "ARCHITECTURE.md")
	for section, isExempt := range map[string]func(dir string) bool{
		"The folders":         func(string) bool { return false },
		"Who may import whom": func(dir string) bool { return strings.HasPrefix(dir, "cmd/") },
	} {
		_, table, ok := strings.Cut(text, "\n## "+section+"\n")
		require.True(t, ok, section)
		table, _, _ = strings.Cut(table, "\n## ")
		for _, dir := range packages(t) {
			if !isExempt(dir) && !strings.Contains(table, "\n| `"+dir+"` |") {
				t.Errorf("%q of ARCHITECTURE.md lacks the package %s", section, dir)
			}
		}
		for _, found := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
			info, err := os.Stat(filepath.Join(root, found[1]))
			if err != nil || !info.IsDir() {
				t.Errorf("%q of ARCHITECTURE.md has %s, which is gone", section, found[1])
			}
		}
	}
}

// packages are the folders with Go code that is no test, relative to the repository.
func packages(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, path := range files(t, ".go") {
		folder, name := filepath.Split(path)
		built, err := build.Default.MatchFile(folder, name)
		require.NoError(t, err)
		dir, err := filepath.Rel(root, folder)
		require.NoError(t, err)
		if built && !strings.HasSuffix(name, "_test.go") && name != "doc.go" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	require.NotEmpty(t, dirs)
	return dirs
}
