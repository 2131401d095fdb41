package rest

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"tributary/model"
)

// parameters are the query parameters of the operations that are strict about them.
var parameters = map[string][]string{
	"POST /api/v1/payments": {"websiteId"},
	"DELETE /api/v1/payments": {
		"websiteId", "transaction_id", "tx_id", "datafast_visitor_id", "startAt", "endAt", "start", "end",
	},
}

// checkQuery refuses a query string that an operation would misread in part: the generated server
// skips what it does not know. Errors: CodeUnknownParameter, CodeDuplicateParameter, CodeInvalidField
// for an empty value, a broken escape, a semicolon or invalid UTF-8.
func checkQuery(raw string, known []string) error {
	var seen []string
	for rest := raw; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		escapedName, escapedValue, _ := strings.Cut(pair, "=")
		name, ok := unescape(escapedName)
		value, valueOK := unescape(escapedValue)
		switch {
		case !ok || !slices.Contains(known, name):
			return model.Errorf(model.CodeUnknownParameter, "", "the query string has a parameter that this operation does not have; it has %s",
				strings.Join(known, ", "))
		case slices.Contains(seen, name):
			return model.Errorf(model.CodeDuplicateParameter, name, "stands twice in the query string")
		case !valueOK:
			return model.Errorf(model.CodeInvalidField, name, "is not a percent-escaped UTF-8 text")
		case value == "":
			return model.Errorf(model.CodeInvalidField, name, "is empty")
		}
		seen = append(seen, name)
	}
	return nil
}

// unescape undoes percent-escapes; false unless the result is UTF-8. A semicolon was a separator
// once, and is not guessed at.
func unescape(escaped string) (string, bool) {
	text, err := url.QueryUnescape(escaped)
	return text, err == nil && utf8.ValidString(text) && !strings.Contains(escaped, ";")
}
