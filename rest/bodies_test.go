package rest_test

import (
	"strings"

	"pgregory.net/rapid"
)

// bodies draws bodies of payments: with the keys and values that matter, in all ways to write them, and now
// and then broken.
func bodies() *rapid.Generator[string] {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r "})
	character := rapid.SampledFrom([]string{
		"a", "Z", "_", " ", "é", "😀", "\ufffd", "\x7f", `\"`, `\\`, `\/`, `\b`, `\u0041`, `\u00e9`, `\ud83d\ude00`, `\uD83D\uDE00`, `\u0000`,
	})
	broken := rapid.SampledFrom([]string{
		`\ud83d`, `\ude00\ud83d`, `\ud83d\u0041`, `\ud83d\n`, `\u12g4`, `\x`, `\`, "\x00", "\x1f", "\n", "\xff", "\xed\xa0\x80", `"`, "{", "}", "[", "]", ",", ":", "1", "-", "nul", "\v", "",
	})
	text := rapid.Custom(func(t *rapid.T) string {
		return `"` + strings.Join(rapid.SliceOfN(character, 0, 5).Draw(t, "text"), "") + `"`
	})
	key := rapid.OneOf(rapid.SampledFrom([]string{
		`"amount"`, `"currency"`, `"transaction_id"`, `"datafast_visitor_id"`, `"email"`, `"customer_email"`, `"name"`, `"customer_name"`, `"metadata"`,
		`"timestamp"`, `"renewal"`, `"refunded"`, `"is_free_trial"`, `"refund_of"`, `"customer_id"`, `"faurya_visitor_id"`, `"datafast_session_id"`, `"Amount"`,
		`"am\u006funt"`, `"c\u0075rrency"`, `"\u0074imestamp"`,
	}), text)
	scalar := rapid.OneOf(text, rapid.SampledFrom([]string{
		"null", "true", "false", "0", "-0", "0.00", "-0e7", "1", "29.99", "2.9990e+1", "1E-2", "-5", "1e400", "01", "1.", ".5", "+1", "1e", "truex", "0x1",
		`"USD"`, `"usd"`, `""`, `"a@b"`, `"t1"`, `"2026-05-01"`, `"2026-05-01T10:00:00+02:00"`, `"2026-05-01T10:00"`, `"true"`,
	}))
	var value func(depth int) *rapid.Generator[string]
	list := func(open, end string, item *rapid.Generator[string], most int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
				return space.Draw(t, "before") + item.Draw(t, "item") + space.Draw(t, "after")
			}), 0, most).Draw(t, "items")
			return open + strings.Join(items, ",") + space.Draw(t, "end") + end
		})
	}
	member := func(value *rapid.Generator[string]) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			return key.Draw(t, "key") + space.Draw(t, "before colon") + ":" + space.Draw(t, "after colon") + value.Draw(t, "value")
		})
	}
	value = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return scalar
		}
		return rapid.OneOf(scalar, scalar, list("[", "]", value(depth-1), 3), list("{", "}", member(value(depth-1)), 3))
	}
	usual := rapid.Just(`"amount":1.50,"currency":"USD","transaction_id":"t"`)
	object := list("{", "}", rapid.OneOf(member(value(3)), member(scalar), usual), 20)
	return rapid.Custom(func(t *rapid.T) string {
		body := space.Draw(t, "before") + object.Draw(t, "body") + space.Draw(t, "after")
		if rapid.IntRange(0, 3).Draw(t, "break") == 0 {
			from := rapid.IntRange(0, len(body)).Draw(t, "from")
			to := rapid.IntRange(from, min(from+2, len(body))).Draw(t, "to")
			body = body[:from] + broken.Draw(t, "broken") + body[to:]
		}
		return body
	})
}
