package pages

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed playground.html
var playgroundHTML string

//go:embed welcome.graphql
var welcomeQuery string

// keyPlaceholder stands in the header template. playground.js sends no request that carries it.
const keyPlaceholder = "PASTE_YOUR_KEY_HERE"

// Playground is what the GraphQL playground opens with.
type Playground struct {
	// Key is a bearer token, filled into the headers editor, and into /docs: everyone who can open the pages can use it.
	// Empty: the editor has a template that asks for a key.
	Key string
	// Tabs are the operations it opens with. Empty: one query that suits every website.
	Tabs []Tab
}

// Tab is one operation in a tab of its own. The operation's name is the title of the tab.
type Tab struct {
	Query     string `json:"query"`
	Variables string `json:"variables,omitempty"` // JSON; may be empty
}

// settings is what playground.js reads from the page.
type settings struct {
	Headers     string `json:"headers"` // initial text of the headers editor: a JSON object
	Placeholder string `json:"placeholder"`
	Tabs        []Tab  `json:"tabs"`
	// Storage is the prefix of the page's entries in the browser's local storage.
	Storage string `json:"storage"`
}

// newPlayground renders the page. Its libraries come from assets if all are there, else from the CDN.
func newPlayground(config Playground, assets fs.FS) page {
	libs := locate(libraries(), assets)
	html := render("playground.html", playgroundHTML, struct {
		Settings  settings
		Libraries []reference
	}{newSettings(config), libs})
	return page{html: html, policy: playgroundPolicy(libs), cache: config.cache()}
}

// playgroundPolicy allows our own files, those of the CDN that the page refers to, and requests to our own origin.
// Inline styles are allowed because GraphiQL's dialogs create style elements; it needs neither inline scripts nor eval.
func playgroundPolicy(libs []reference) string {
	scripts, styles := "'self'", "'self' 'unsafe-inline'"
	for _, lib := range libs {
		switch {
		case lib.Integrity == "":
		case lib.Stylesheet:
			styles += " " + lib.URL
		default:
			scripts += " " + lib.URL
		}
	}
	return "default-src 'none'; script-src " + scripts + "; style-src " + styles +
		"; img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// cache keeps a page that contains a key out of every cache.
func (p Playground) cache() string {
	if p.Key != "" {
		return "no-store"
	}
	return "no-cache"
}

func newSettings(config Playground) settings {
	key, tabs := config.Key, config.Tabs
	if key == "" {
		key = keyPlaceholder
	}
	if len(tabs) == 0 {
		tabs = []Tab{{Query: welcomeQuery}}
	}
	return settings{Headers: headersText(key), Placeholder: keyPlaceholder, Tabs: tabs, Storage: storagePrefix(config)}
}

// storagePrefix keeps what the browser has stored for one demonstration (tabs, edited queries) from showing up in the
// next one, whose key and examples differ. Without a key the tabs are the user's own, and survive an upgrade.
func storagePrefix(config Playground) string {
	if config.Key == "" {
		return "tributary"
	}
	sum := sha256.Sum256([]byte(mustJSON(config)))
	return "tributary-demo-" + hex.EncodeToString(sum[:6])
}

// headersText is written in lines, because a key in one line with the braces would not fit into the editor.
func headersText(key string) string {
	return "{\n  \"Authorization\": " + mustJSON("Bearer "+key) + "\n}"
}

// mustJSON is for values that always have a JSON form: strings, and structs of them.
func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("pages: %T has no JSON form: %v", v, err))
	}
	return string(text)
}
