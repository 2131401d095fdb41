package pages

import _ "embed"

//go:embed start.html
var startHTML string

const startPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func newStart(version string) page {
	return page{html: render("start.html", startHTML, version), policy: startPolicy, cache: "no-cache"}
}
