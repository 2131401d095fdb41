package pages

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
)

const (
	// GraphiQL keeps both editors below the query, and shows one of them.
	variablesEditor = `document.querySelectorAll('.graphiql-editor-tool .CodeMirror')[0].CodeMirror`
	headersEditor   = `document.querySelectorAll('.graphiql-editor-tool .CodeMirror')[1].CodeMirror`
	queryEditor     = `document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror`
	resultPane      = `document.querySelector('.result-window').innerText`
	editorsReady    = `document.querySelectorAll('.graphiql-editors .CodeMirror').length === 3 && !document.querySelector('.graphiql-spinner')`
)

// schema is the answer to an introspection of: type Query { token: String }.
const schema = `{"data":{"__schema":{
	"queryType":{"name":"Query"},"mutationType":null,"subscriptionType":null,"directives":[],
	"types":[
		{"kind":"SCALAR","name":"String"},{"kind":"SCALAR","name":"Boolean"},
		{"kind":"OBJECT","name":"Query","interfaces":[],"fields":[{
			"name":"token","description":"The token that was sent.","args":[],"isDeprecated":false,
			"type":{"kind":"SCALAR","name":"String"}}]}]}}}`

// site serves the pages of a configuration, which may be exchanged, and a GraphQL endpoint whose only field tells the
// token that it got.
type site struct {
	*httptest.Server
	handler atomic.Pointer[http.Handler]

	mu             sync.Mutex
	introspections []string // the Authorization header of each
}

func (s *site) show(p Playground) {
	h := New(Config{Version: "1.2.3", Playground: p})
	s.handler.Store(&h)
}

func newSite(t *testing.T, p Playground) *site {
	t.Helper()
	s := &site{}
	s.show(p)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) })
	mux.HandleFunc("POST /graphql", s.graphql)
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"openapi":"3.1.0","info":{"title":"Stub","version":"1"},"paths":{"/stub":{"get":{"responses":{"200":{"description":"OK"}}}}},
			"components":{"securitySchemes":{"bearerAuth":{"type":"http","scheme":"bearer"}}},"security":[{"bearerAuth":[]}]}`)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)

	return s
}

func (s *site) graphql(w http.ResponseWriter, r *http.Request) {
	var request struct{ OperationName string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if request.OperationName == "IntrospectionQuery" {
		s.mu.Lock()
		s.introspections = append(s.introspections, r.Header.Get("Authorization"))
		s.mu.Unlock()
		_, _ = io.WriteString(w, schema)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"token": r.Header.Get("Authorization")}})
}

func (s *site) introspected() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.introspections...)
}

// needLibraries skips a test of the playground itself when the binary has none; with CI=true it fails.
func needLibraries(t *testing.T) {
	t.Helper()
	if locate(libraries(), assets)[0].Integrity == "" {
		return
	}
	const reason = "the playground's libraries are not built: run npm ci and npm run build in internal/server/pages"
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

func text(ctx context.Context, t *testing.T, expression string) string {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	require.NoError(t, err)
	return v
}

func TestPlayground_inBrowser(t *testing.T) {
	t.Parallel()
	needLibraries(t)

	t.Run("with a key, operations run at once", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, Playground{Key: "df_demo", Tabs: []Tab{
			{Query: "query First { token }", Variables: `{"a": 1}`},
			{Query: "query Second { token }"},
		}})
		ctx := browsertest.New(t)
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.URL+"/playground")))
		browsertest.WaitFor(ctx, t, editorsReady)
		require.Equal(t, "First\nSecond", text(ctx, t, `[...document.querySelectorAll('.graphiql-tab-button')].map(b => b.innerText).join("\n")`))
		require.Equal(t, `{"a": 1}`, text(ctx, t, variablesEditor+`.getValue()`))
		require.Equal(t, "variables", text(ctx, t, `document.querySelector('.graphiql-editor-tools button.active').dataset.name`))

		require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".graphiql-execute-button"))))
		browsertest.WaitFor(ctx, t, resultPane+`.includes('"token": "Bearer df_demo"')`)
		require.Equal(t, []string{"Bearer df_demo"}, s.introspected())

		require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".graphiql-tab:nth-of-type(2) .graphiql-tab-button"))))
		browsertest.WaitFor(ctx, t, queryEditor+`.getValue() === "query Second { token }"`)
		require.JSONEq(t, `{"Authorization":"Bearer df_demo"}`, text(ctx, t, headersEditor+`.getValue()`))
		require.Empty(t, browsertest.Problems(ctx))
	})

	t.Run("a restart with another key is not shadowed by what the browser stored", func(t *testing.T) {
		t.Parallel()
		tabs := []Tab{{Query: "query Same { token }"}}
		s := newSite(t, Playground{Key: "df_old", Tabs: tabs})
		ctx := browsertest.New(t)
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.URL+"/playground")))
		browsertest.WaitFor(ctx, t, editorsReady)
		require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](queryEditor+`.setValue("query Edited { token }")`)))
		browsertest.WaitFor(ctx, t, `JSON.stringify(localStorage).includes("query Edited")`)

		require.NoError(t, chromedp.Do(ctx, chromedp.Reload()))
		browsertest.WaitFor(ctx, t, editorsReady)
		require.Equal(t, "query Edited { token }", text(ctx, t, queryEditor+`.getValue()`))
		require.NotContains(t, text(ctx, t, `JSON.stringify(localStorage)`), "df_old")

		s.show(Playground{Key: "df_new", Tabs: tabs})
		require.NoError(t, chromedp.Do(ctx, chromedp.Reload()))
		browsertest.WaitFor(ctx, t, editorsReady)
		require.Equal(t, "query Same { token }", text(ctx, t, queryEditor+`.getValue()`))
		require.JSONEq(t, `{"Authorization":"Bearer df_new"}`, text(ctx, t, headersEditor+`.getValue()`))
		require.NotContains(t, text(ctx, t, `JSON.stringify(localStorage)`), "query Edited")
		require.Equal(t, []string{"Bearer df_old", "Bearer df_old", "Bearer df_new"}, s.introspected())
		require.Empty(t, browsertest.Problems(ctx))
	})

	t.Run("headers are stored only for those who switch it on", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, Playground{})
		ctx := browsertest.New(t)
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.URL+"/playground")))
		browsertest.WaitFor(ctx, t, editorsReady)
		const own = `{"Authorization": "Bearer df_own"}`
		edit := chromedp.Evaluate[chromedp.Void](headersEditor + ".setValue('" + own + "')")
		require.NoError(t, chromedp.Do(ctx, edit, chromedp.Reload()))
		browsertest.WaitFor(ctx, t, editorsReady)
		require.Contains(t, text(ctx, t, headersEditor+`.getValue()`), keyPlaceholder)

		require.NoError(t, chromedp.Do(ctx, edit,
			chromedp.Click(chromedp.CSS(`[aria-label="Open settings dialog"]`)),
			chromedp.Click(chromedp.CSS(`#enable-persist-headers`)),
		))
		browsertest.WaitFor(ctx, t, `JSON.stringify(localStorage).includes("df_own")`)
		require.NoError(t, chromedp.Do(ctx, chromedp.Reload()))
		browsertest.WaitFor(ctx, t, editorsReady)
		require.Equal(t, own, text(ctx, t, headersEditor+`.getValue()`))
		require.Contains(t, s.introspected(), "Bearer df_own")
		require.Empty(t, browsertest.Problems(ctx))
	})

	t.Run("without a key it asks for one, and reads the schema when it has it", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, Playground{})
		ctx := browsertest.New(t)
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.URL+"/playground")))
		browsertest.WaitFor(ctx, t, resultPane+`.includes("Paste a website key")`)
		require.Contains(t, text(ctx, t, queryEditor+`.getValue()`), "query Overview")
		require.Empty(t, s.introspected())

		require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](headersEditor+`.setValue('{"authorization": "Bearer df_pasted"}')`)))
		require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`[aria-label="Show Documentation Explorer"]`))))
		browsertest.WaitFor(ctx, t, `document.querySelector('.graphiql-plugin').innerText.includes("Query")`)
		require.Equal(t, []string{"Bearer df_pasted"}, s.introspected())
		require.Empty(t, browsertest.Problems(ctx))
	})
}

func TestPlayground_inBrowserWithoutLibraries(t *testing.T) {
	t.Parallel()
	files := built(t)
	for _, l := range libraries() {
		delete(files, "assets/npm/"+l.path()+".gz")
	}
	server := httptest.NewServer(newHandler(Config{}, files))
	t.Cleanup(server.Close)
	ctx := browsertest.New(t)

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/playground")))
	browsertest.WaitFor(ctx, t, `document.body.innerText.includes("This binary was built without it")`)
	problems := strings.Join(browsertest.Problems(ctx), "\n")
	for _, l := range libraries() {
		require.Contains(t, problems, "request to "+cdn+l.path())
		require.Contains(t, problems, "net::ERR_NAME_NOT_RESOLVED "+cdn+l.path(), "the policy does not let it through")
	}
}

func TestNew_inBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t, Playground{Key: "df_demo"})
	ctx := browsertest.New(t)

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.URL+"/")))
	browsertest.WaitFor(ctx, t, `document.querySelector("header img").naturalWidth > 0`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`nav a[href="/docs/"]`))))
	browsertest.WaitFor(ctx, t, `document.querySelector(".swagger-ui .opblock-summary-path")?.innerText.includes("/stub")`)
	browsertest.WaitFor(ctx, t, `document.querySelector(".swagger-ui .authorize.locked") !== null`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`body > nav a[href="/"]`))))
	browsertest.WaitFor(ctx, t, `location.pathname === "/"`)
	require.Empty(t, browsertest.Problems(ctx))
}
