// Package architecture holds the tests that keep the house as docs/ARCHITECTURE.md draws it.
package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the import path of the project.
const module = "tributary/"

// rule says what a package may import of the project and of others; the standard library is free to
// all. A name that ends in /… stands for everything below it.
type rule struct {
	own, others []string
}

const (
	gqlgen    = "github.com/99designs/gqlgen/…"
	gqlparser = "github.com/vektah/gqlparser/v2/…"
	bun       = "github.com/uptrace/bun/…"
	pgx       = "github.com/jackc/pgx/v5/…"
	otel      = "go.opentelemetry.io/otel/"
	everybody = "…"
)

// rules are the table of docs/ARCHITECTURE.md. A package that is not in it fails the test.
var rules = map[string]rule{
	"model":                 {others: []string{"github.com/bojanz/currency", "golang.org/x/net/idna"}},
	"graph/scalar":          {own: []string{"model"}, others: []string{"github.com/99designs/gqlgen/graphql"}},
	"graph/generated":       {own: []string{"graph/scalar", "model"}, others: []string{gqlgen, gqlparser}},
	"graph":                 {own: []string{"graph/generated", "internal/span", "model"}, others: []string{gqlgen, gqlparser, "github.com/vikstrous/dataloadgen", "github.com/hashicorp/golang-lru/v2/simplelru"}},
	"openapi":               {own: []string{"model"}, others: []string{"github.com/oapi-codegen/runtime/…", "go.yaml.in/yaml/v3"}},
	"rest":                  {own: []string{"openapi", "graph/generated", "internal/span", "model"}, others: []string{"github.com/oapi-codegen/runtime/…"}},
	"db":                    {own: []string{"internal/span", "model"}, others: []string{bun, pgx, "github.com/google/uuid", "golang.org/x/sync/semaphore", "golang.org/x/sync/singleflight"}},
	"internal/auth":         {own: []string{"model"}},
	"internal/server":       {own: []string{"graph", "rest", "openapi", "internal/auth", "internal/ratelimit", "internal/server/pages", "internal/span", "internal/tracker", "model"}, others: []string{everybody}},
	"internal/server/pages": {others: []string{"github.com/swaggest/swgui/…", "github.com/vearutop/statigz"}},
	"internal/tracker":      {others: []string{"github.com/vearutop/statigz"}},
	"internal/demo":         {own: []string{"graph/generated", "model"}, others: []string{"golang.org/x/sync/errgroup"}},
	"internal/rates":        {own: []string{"model"}},
	"internal/useragent":    {own: []string{"model"}, others: []string{"github.com/mileusna/useragent"}},
	"internal/clientip":     {others: []string{"github.com/oschwald/maxminddb-golang/v2"}},
	"internal/metrics":      {own: []string{"db", "model", "rest"}, others: []string{"github.com/prometheus/client_golang/…"}},
	"internal/span":         {own: []string{"model"}, others: []string{otel + "attribute", otel + "codes", otel + "propagation", otel + "semconv/…", otel + "trace"}},
	"internal/traces":       {own: []string{"internal/ratelimit", "internal/span"}, others: []string{otel + "…"}},
	"internal/logtest":      {},
	"internal/tracetest":    {others: []string{"go.opentelemetry.io/proto/otlp/…", "google.golang.org/protobuf/proto"}},
	"internal/ratelimit":    {},
	"internal/child":        {},
	"internal/postgres":     {own: []string{"internal/child"}, others: []string{"github.com/fergusstrange/embedded-postgres", pgx, "golang.org/x/sys/unix"}},
	"internal/statements":   {own: []string{"db"}, others: []string{pgx}},
	"internal/dbtest":       {own: []string{"db", "internal/postgres", "internal/statements"}, others: []string{"github.com/peterldowns/pgtestdb", pgx, "golang.org/x/sys/unix"}},
	"internal/browsertest":  {others: []string{"github.com/chromedp/…"}},
	"internal/preload":      {},
	"internal/bench":        {own: []string{"internal/preload"}, others: []string{"github.com/jackc/pgx/v5"}},
	"internal/faulttest":    {own: []string{"internal/child", "internal/dbtest", "internal/postgres", "internal/preload"}, others: []string{pgx}},
	"internal/architecture": {others: []string{"github.com/stretchr/testify/require"}},
	"internal/e2e":          {}, // tests only
	"cmd/tributary":         {own: []string{everybody}, others: []string{everybody}},
}

// runtimeFiles are the only ones of package graph that may know gqlgen and gqlparser, so that no
// rule comes to live where REST does not pass.
var runtimeFiles = []string{"handler.go", "queries.go", "guard.go", "extent.go", "response.go", "errors.go", "observer.go"}

// maxResolver is how many lines the body of a resolver method has at most.
const maxResolver = 20

// source is a Go file that is no test.
type source struct {
	dir, name string // of the package, relative to the module
	positions *token.FileSet
	file      *ast.File
}

func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
		paths = append(paths, path)
	}
	return paths
}

// sources are all Go files of the project that are no tests, for every system and build tag.
func sources(t *testing.T) []source {
	t.Helper()
	const root = "../.."
	var all []source
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "node_modules" || entry.Name() == "tools"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		case strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "architecture"):
			return nil
		}
		positions := token.NewFileSet()
		file, err := parser.ParseFile(positions, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		all = append(all, source{filepath.ToSlash(dir), filepath.Base(path), positions, file})
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		rule, ok := rules[s.dir]
		if !ok {
			t.Errorf("%s is not in the table of imports: add it to docs/ARCHITECTURE.md and to rules", s.dir)
			continue
		}
		for _, path := range s.imports() {
			own, isOwn := strings.CutPrefix(path, module)
			switch {
			case isOwn && !allowed(own, rule.own):
				t.Errorf("%s/%s imports %s, which the table of imports forbids", s.dir, s.name, path)
			case !isOwn && !isStandard(path) && !allowed(path, rule.others):
				t.Errorf("%s/%s imports %s, which package %s is to know nothing of", s.dir, s.name, path, s.dir)
			}
		}
	}
}

// TestSpans keeps what spans carry in one place, and what sends them in another: whoever has a span can name it.
func TestSpans(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, path := range s.imports() {
			if strings.HasPrefix(path, otel) && s.dir != "internal/span" && s.dir != "internal/traces" {
				t.Errorf("%s/%s imports %s, which only internal/span and internal/traces may", s.dir, s.name, path)
			}
		}
	}
}

// isStandard says whether an import path is of the standard library: its first part has no dot.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func allowed(path string, list []string) bool {
	for _, pattern := range list {
		prefix, below := strings.CutSuffix(pattern, "…")
		if path == pattern || below && (path+"/" == prefix || strings.HasPrefix(path, prefix)) {
			return true
		}
	}
	return false
}

func TestGraph(t *testing.T) {
	t.Parallel()
	resolvers := 0
	for _, s := range sources(t) {
		if s.dir != "graph" {
			continue
		}
		for _, path := range s.imports() {
			if allowed(path, []string{gqlgen, gqlparser}) && !allowed(s.name, runtimeFiles) {
				t.Errorf("graph/%s imports %s: only %s may", s.name, path, strings.Join(runtimeFiles, ", "))
			}
		}
		if !strings.HasSuffix(s.name, ".resolvers.go") {
			continue
		}
		for _, decl := range s.file.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			resolvers++
			if function.Recv == nil {
				t.Errorf("graph/%s: %s is no method: the generator comments it out; put it into another file", s.name, function.Name.Name)
			}
			lines := s.positions.Position(function.Body.Rbrace).Line - s.positions.Position(function.Body.Lbrace).Line - 1
			if lines > maxResolver {
				t.Errorf("graph/%s: %s has %d lines: a resolver asks, validates and calls the store, in at most %d", s.name, function.Name.Name, lines, maxResolver)
			}
		}
	}
	require.NotZero(t, resolvers)
}

// TestRules proves that the tests above can fail.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, forbidden := range []struct{ dir, path string }{
		{"model", "graph"}, {"model", "db"}, {"graph", "db"}, {"graph", "rest"}, {"graph", "internal/auth"}, {"rest", "graph"}, {"rest", "db"}, {"rest", "graph/scalar"},
		{"db", "graph"}, {"openapi", "rest"}, {"internal/auth", "db"}, {"internal/server", "db"}, {"internal/demo", "db"},
	} {
		require.False(t, allowed(forbidden.path, rules[forbidden.dir].own), forbidden)
	}
	for _, forbidden := range []struct{ dir, path string }{
		{"model", "github.com/99designs/gqlgen/graphql"}, {"model", "github.com/uptrace/bun"}, {"rest", "github.com/99designs/gqlgen/graphql"}, {"graph", "github.com/uptrace/bun"},
		{"db", "github.com/99designs/gqlgen/graphql"}, {"openapi", "github.com/getkin/kin-openapi/openapi3"}, {"graph/scalar", "github.com/99designs/gqlgen/graphql/handler"},
	} {
		require.False(t, allowed(forbidden.path, rules[forbidden.dir].others), forbidden)
		require.False(t, isStandard(forbidden.path))
	}
	require.True(t, allowed("github.com/uptrace/bun", []string{bun}))
	require.True(t, allowed("github.com/uptrace/bun/dialect/pgdialect", []string{bun}))
	require.False(t, allowed("github.com/uptrace/bunker", []string{bun}))
	require.True(t, isStandard("encoding/json"))
}
