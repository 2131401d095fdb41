package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/dbtest"
	"tributary/model"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// today is when the tests begin; a bundle's clock can be moved on.
var today = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

// bundle is a server on a fresh database with one website and its key.
type bundle struct {
	t          *testing.T
	dsn        string
	store      *db.Store
	statements atomic.Int64
	clock      atomic.Pointer[time.Time]
	url        string
	site       model.Website
	key        string // of the site
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, dsn: dbtest.NewMigrated(t)}
	var err error
	b.store, err = db.Open(b.dsn, db.Options{MaxConnections: 8, Hook: counter{&b.statements}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.store.Close() })
	b.clock.Store(&today)
	b.serve(b.store)
	b.site = b.website(model.Website{})
	b.key = b.websiteKey(b.site)
	return b
}

// another is a website of its own on the same server, for a subtest.
func (b *bundle) another(t *testing.T) *bundle {
	t.Helper()
	other := &bundle{t: t, dsn: b.dsn, store: b.store, url: b.url}
	other.site = other.website(model.Website{})
	other.key = other.websiteKey(other.site)
	return other
}

// counter counts SQL statements.
type counter struct{ n *atomic.Int64 }

func (c counter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (c counter) AfterQuery(context.Context, *bun.QueryEvent)                        { c.n.Add(1) }

func (b *bundle) now() time.Time { return *b.clock.Load() }

func (b *bundle) setClock(at time.Time) { b.clock.Store(&at) }

// serve starts a server on a store, behind the same middleware as the real one.
func (b *bundle) serve(store graph.Store) {
	b.serveResolver(&graph.Resolver{Store: store, Now: b.now, ParseUserAgent: func(string) model.Client {
		return model.Client{Device: "mobile", Browser: "Firefox", OS: "Android"}
	}})
}

func (b *bundle) serveResolver(r *graph.Resolver) {
	handler := graph.NewHandler(r)
	handler = auth.Middleware(b.store, b.now, graph.WriteError)(handler)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(model.WithRequestID(r.Context(), "request-1")))
	}))
	b.t.Cleanup(server.Close)
	b.url = server.URL
}

// website adds a website, in UTC and USD unless given otherwise.
func (b *bundle) website(w model.Website) model.Website {
	b.t.Helper()
	if w.Timezone == "" {
		w.Timezone = "UTC"
	}
	if w.Currency == "" {
		w.Currency = "USD"
	}
	w.Domain, w.Name, w.CreatedAt = "shop.example", "Shop", today
	w, err := b.store.CreateWebsite(context.Background(), w)
	require.NoError(b.t, err)
	return w
}

func (b *bundle) websiteKey(w model.Website) string {
	b.t.Helper()
	_, secret := b.token(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: w.ID})
	return secret
}

func (b *bundle) token(t model.Token) (model.Token, string) {
	b.t.Helper()
	if t.Prefix == "" {
		t.Prefix = model.PrefixAccountToken
	}
	t.CreatedAt = today
	t, secret := model.NewToken(t)
	t, err := b.store.CreateToken(context.Background(), t)
	require.NoError(b.t, err)
	return t, secret
}

// sql reads one value straight from the database.
func sql[T any](b *bundle, query string, args ...any) T {
	b.t.Helper()
	conn, err := pgx.Connect(context.Background(), b.dsn)
	require.NoError(b.t, err)
	defer conn.Close(context.Background())
	var value T
	require.NoError(b.t, conn.QueryRow(context.Background(), query, args...).Scan(&value))
	return value
}

type vars map[string]any

// node is a part of a response.
type node struct{ value any }

// at follows a path of names and indexes; nil where it leads nowhere.
func (n node) at(path string) any {
	value := n.value
	for _, step := range strings.Split(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// each is what a path leads to in each element of a list.
func (n node) each(list, path string) []any {
	elements, _ := n.at(list).([]any)
	values := []any{}
	for _, element := range elements {
		values = append(values, node{element}.at(path))
	}
	return values
}

// fault is an error of a response.
type fault struct {
	Message    string
	Path       []any
	Extensions struct {
		Code      string
		Field     string
		Fields    []string
		RequestID string
	}
}

// query asks the server and answers data and errors, whatever they are.
func (b *bundle) query(token, text string, v vars) (node, []fault) {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": v})
	require.NoError(b.t, err)
	_, raw := b.post(token, "application/json", bytes.NewReader(body))
	var response struct {
		Data   any
		Errors []fault
	}
	require.NoError(b.t, json.Unmarshal(raw, &response), "%s", raw)
	return node{response.Data}, response.Errors
}

// post sends a request as it is.
func (b *bundle) post(token, contentType string, body io.Reader) (*http.Response, []byte) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.url, body)
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return b.do(req)
}

func (b *bundle) do(req *http.Request) (*http.Response, []byte) {
	b.t.Helper()
	res, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return res, raw
}

// ask asks with the site's key what must succeed.
func (b *bundle) ask(text string, v vars) node {
	b.t.Helper()
	data, faults := b.query(b.key, text, v)
	require.Empty(b.t, faults)
	return data
}

// refused asks with the site's key what must fail with one error.
func (b *bundle) refused(text string, v vars) fault {
	b.t.Helper()
	_, faults := b.query(b.key, text, v)
	require.Len(b.t, faults, 1)
	return faults[0]
}
