package e2e_test

import (
	"context"
	"database/sql"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/dbtest"
	"tributary/internal/server"
	"tributary/internal/server/pages"
	"tributary/internal/useragent"
	"tributary/model"
	"tributary/rest"
)

// isLong says that the tests do all that they promise, which takes half an hour.
var isLong = os.Getenv("TRIBUTARY_TEST_LONG") == "1"

func TestMain(m *testing.M) {
	// A check of rapid is hundreds of requests here. The command line goes before.
	checks := "50"
	if isLong {
		checks = "250"
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.steps": "50"} { // in the mean
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	// Many clients at once keep their connections.
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 100
	dbtest.Main(m)
}

// noon is the time at which the clock of every stack begins to stand.
var noon = time.Date(2026, 5, 19, 12, 0, 0, 0, time.UTC)

// options are how a stack differs from the usual one.
type options struct {
	DSN      string // a database that the test has prepared
	Database db.Options
	Timezone string // of the website; UTC
	Currency model.Currency
	Pages    func(key string) pages.Config
	Wrap     func(http.Handler) http.Handler // what is served
	Senders  rest.Senders                    // all are admitted, and nobody's country is known
	Limits   server.Limits                   // with ten seconds of grace
	// Server is how the server differs: what the stack does not set.
	Server server.Config
}

// senders are those that a test does not care for.
func (o options) senders() rest.Senders {
	if o.Senders.Admit == nil {
		o.Senders.Admit = func(*http.Request) (time.Duration, bool) { return 0, true }
	}
	if o.Senders.Country == nil {
		o.Senders.Country = func(*http.Request) string { return "" }
	}
	o.Senders.IsBot = useragent.IsBot
	return o.Senders
}

// stack is a running server over a database of its own, with one account, one website, a key of it,
// and a token of the account that may do everything.
type stack struct {
	url   string
	dsn   string
	store *db.Store
	sql   *sql.DB // beside the store, for looking and for standing in the way
	clock *clock

	options    options
	site       model.Website
	key, token string
}

// clock stands until it is moved.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }
func (c *clock) reset()                  { c.ahead.Store(0) }

// start makes a stack that ends with the test.
func start(t testing.TB, o options) *stack {
	t.Helper()
	s := open(t, o)
	account, err := s.store.CreateAccount(t.Context(), model.Account{Name: "test", CreatedAt: noon})
	require.NoError(t, err)
	s = s.on(t, model.Website{AccountID: account.ID, Timezone: o.Timezone, Currency: o.Currency})
	s.token = s.newToken(t, model.Token{Prefix: model.PrefixAccountToken, AccountID: account.ID, Scopes: []model.Scope{model.ScopeAll}})
	var config pages.Config
	if o.Pages != nil {
		config = o.Pages(s.key)
	}
	handler := s.handler(config)
	if o.Wrap != nil {
		handler = o.Wrap(handler)
	}
	s.serve(t, handler)
	return s
}

// open is a stack without anything in its database, and that nobody serves.
func open(t testing.TB, o options) *stack {
	t.Helper()
	if o.DSN == "" {
		o.DSN = dbtest.NewMigrated(t)
	}
	if o.Database.MaxConnections == 0 {
		o.Database.MaxConnections = 8
	}
	store, err := db.Open(o.DSN, o.Database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	beside, err := sql.Open("pgx", o.DSN)
	require.NoError(t, err)
	t.Cleanup(func() { _ = beside.Close() })
	o.Senders = o.senders()
	return &stack{dsn: o.DSN, store: store, sql: beside, clock: &clock{}, options: o}
}

// on is the stack as the clients of a new website see it.
func (s *stack) on(t testing.TB, w model.Website) *stack {
	t.Helper()
	other := *s
	other.site = s.website(t, w)
	other.key = s.newToken(t, model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: other.site.ID})
	return &other
}

// twin is the stack as the clients of another server see it, which has a store of its own on the same database. A
// wrap that is not nil changes what it serves.
func (s *stack) twin(t testing.TB, wrap func(http.Handler) http.Handler) *stack {
	t.Helper()
	other := open(t, options{DSN: s.dsn, Senders: s.options.Senders})
	other.clock, other.site, other.key, other.token = s.clock, s.site, s.key, s.token
	handler := other.handler(pages.Config{})
	if wrap != nil {
		handler = wrap(handler)
	}
	other.serve(t, handler)
	return other
}

// handler wires the packages as the program does.
func (s *stack) handler(shown pages.Config) http.Handler {
	resolver := &graph.Resolver{Store: s.store, Now: s.clock.now, ParseUserAgent: useragent.Parse}
	config := s.options.Server
	resolver.Observer, _ = config.Observer.(graph.Observer)
	config.GraphQL = graph.NewHandler(resolver)
	config.REST = rest.NewHandler(resolver.Mutation(), s.store.Ping, s.clock.now, s.options.Senders)
	config.Pages = pages.New(shown)
	config.Tokens, config.Now = s.store, s.clock.now
	config.GraphQLError, config.RESTError = graph.WriteError, rest.WriteError
	config.Logger = slog.New(slog.DiscardHandler)
	return server.New(config)
}

// serve answers requests with the handler, at the stack's url, until the test ends.
func (s *stack) serve(t testing.TB, handler http.Handler) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	limits := s.options.Limits
	limits.Grace = 10 * time.Second
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(ctx, listener, handler, limits, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-stopped)
	})
}

// website adds a website; what it leaves out is as usual.
func (s *stack) website(t testing.TB, w model.Website) model.Website {
	t.Helper()
	w.Domain, w.Name, w.CreatedAt = "shop.example", "Shop", noon
	if w.Timezone == "" {
		w.Timezone = "UTC"
	}
	if w.Currency == "" {
		w.Currency = "USD"
	}
	w, err := s.store.CreateWebsite(t.Context(), w)
	require.NoError(t, err)
	return w
}

// newToken adds a website key or account token, and is its secret.
func (s *stack) newToken(t testing.TB, token model.Token) string {
	t.Helper()
	token.CreatedAt = noon
	token, secret := model.NewToken(token)
	_, err := s.store.CreateToken(t.Context(), token)
	require.NoError(t, err)
	return secret
}

// count is how many rows of a table a condition selects.
func (s *stack) count(t testing.TB, fromWhere string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, s.sql.QueryRowContext(t.Context(), "SELECT count(*) FROM "+fromWhere, args...).Scan(&n))
	return n
}

// exec changes the database behind the server's back.
func (s *stack) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	_, err := s.sql.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}
