package tracker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScript_oddPages(t *testing.T) {
	t.Parallel()
	const throws = `{ get() { throw new DOMException("forbidden") }, set() { throw new DOMException("forbidden") } }`
	for name, p := range map[string]page{
		"without cookies":         {before: `Object.defineProperty(Document.prototype, "cookie", ` + throws + `)`},
		"without session storage": {before: `Object.defineProperty(window, "sessionStorage", ` + throws + `)`, attributes: `data-cookieless="session"`},
		"without local storage":   {before: `Object.defineProperty(window, "localStorage", ` + throws + `)`},
		"a frozen history":        {before: `Object.freeze(history)`},
		"calls that are none":     {before: `(window.datafast = () => {}).q = [1, null]`},
		"an element of its name":  {body: `<p id="datafast">`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.body += `<a href="https://other.example/x?y#secret" onclick="event.preventDefault()">out</a>`
			b := (&website{t: t, page: p}).visit("shop.example", "/")
			first := b.next("pageview")
			b.do(`document.querySelector("a").click()`)
			out := b.next("external_link")
			require.Equal(t, map[string]any{"url": "https://other.example/x?y", "text": "out"}, out.ExtraData)
			require.Equal(t, first.SessionID, out.SessionID, "known as long as the page")
			require.Equal(t, first.VisitorID, out.VisitorID)
			b.end()
		})
	}
}
