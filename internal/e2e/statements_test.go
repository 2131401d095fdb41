package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/internal/statements"
)

// statement is SQL that the store has sent.
type statement struct {
	text   string
	site   string // the id of the website whose turn it was
	asked  string // what was asked of the server, or done with the store
	sender string // the place in package db, as file:line
}

// collector keeps what a store sends, of statements that differ in their values only the longest.
type collector struct {
	mu      sync.Mutex
	current statement
	byShape map[string]statement
	kept    map[string]statement // those that connections keep, by their text, with $1, $2 for the values
	places  map[string][]int     // the lines of the files of package db from which statements were sent
	methods map[string]bool      // of Store that have sent one
}

func newCollector() *collector {
	return &collector{byShape: map[string]statement{}, kept: map[string]statement{}, places: map[string][]int{}, methods: map[string]bool{}}
}

// about says whose turn it is, and what is asked for.
func (c *collector) about(site, asked string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = statement{site: site, asked: asked}
}

// methodOfStore finds the method in the name of a function. That does not always begin with the package: what is
// inlined is named after its caller.
var methodOfStore = regexp.MustCompile(`\(\*Store\)\.(\w+)`)

// BeforeQuery implements bun.QueryHook.
func (c *collector) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.current
	one.text = strings.TrimSpace(event.Query)
	for frame, more := frames.Next(); ; frame, more = frames.Next() {
		if dir, file := filepath.Split(frame.File); filepath.Base(dir) == "db" {
			one.sender = cmp.Or(one.sender, fmt.Sprintf("db/%s:%d", file, frame.Line))
			if !slices.Contains(c.places[file], frame.Line) {
				c.places[file] = append(c.places[file], frame.Line)
			}
			if method := methodOfStore.FindStringSubmatch(frame.Function); method != nil {
				c.methods[method[1]] = true
			}
		}
		if !more {
			break
		}
	}
	if text, isKept := event.Stash[db.KeptText].(string); isKept {
		kept := one
		kept.text = text
		c.kept[text] = kept
	}
	if key := statements.Shape(one.text); len(one.text) > len(c.byShape[key].text) {
		c.byShape[key] = one
	}
	return ctx
}

// AfterQuery implements bun.QueryHook.
func (c *collector) AfterQuery(context.Context, *bun.QueryEvent) {}

// all are the statements that can be explained.
func (c *collector) all(t testing.TB) []statement {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []statement
	for _, one := range c.byShape {
		switch verb, _, _ := strings.Cut(one.text, " "); verb {
		case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH":
			all = append(all, one)
		case "BEGIN", "COMMIT", "ROLLBACK", "LOCK", "SET", "RESET", "VACUUM":
		default:
			t.Errorf("%s sends what this test does not know: %s", one.sender, one.text)
		}
	}
	slices.SortFunc(all, func(a, b statement) int {
		return cmp.Or(cmp.Compare(a.sender, b.sender), cmp.Compare(a.text, b.text))
	})
	return all
}

// has says whether a statement that contains all parts was sent.
func (c *collector) has(parts ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.byShape {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(one.text, part) }) {
			return true
		}
	}
	return false
}

// missing are the places in package db that can send a statement and have sent none.
func (c *collector) missing(t testing.TB, exempt map[string]string) (places []string) {
	t.Helper()
	found := 0
	paths, err := filepath.Glob("../../db/*.go")
	require.NoError(t, err)
	for _, path := range paths {
		file := filepath.Base(path)
		if _, isExempt := exempt[file]; isExempt || strings.HasSuffix(file, "_test.go") {
			continue
		}
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, isCall := n.(*ast.CallExpr)
			if !isCall || !sends(call) {
				return true
			}
			found++
			first, last := positions.Position(call.Pos()).Line, positions.Position(call.End()).Line
			if !slices.ContainsFunc(c.places[file], func(line int) bool { return first <= line && line <= last }) {
				places = append(places, fmt.Sprintf("db/%s:%d", file, first))
			}
			return true
		})
	}
	require.NotZero(t, found)
	return places
}

// sends says whether a call sends a statement: x.Scan(ctx, …), x.Exec(ctx), f(ctx, x.NewRaw(…)), or x.queue(…).
func sends(call *ast.CallExpr) bool {
	if method, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"queue", "queueInto"}, method.Sel.Name) {
		return !isNamed(method.X, "t") // the transaction itself
	}
	if len(call.Args) == 0 || !isNamed(call.Args[0], "ctx") {
		return false
	}
	if method, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Scan", "Exec", "ExecContext", "QueryContext", "QueryRowContext"}, method.Sel.Name) {
		return true
	}
	return slices.ContainsFunc(call.Args[1:], func(arg ast.Expr) bool {
		built, ok := arg.(*ast.CallExpr)
		if !ok {
			return false
		}
		method, ok := built.Fun.(*ast.SelectorExpr)
		return ok && strings.HasPrefix(method.Sel.Name, "New")
	})
}

func isNamed(e ast.Expr, name string) bool {
	ident, ok := e.(*ast.Ident)
	return ok && ident.Name == name
}
