package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// canary stands in requests where an answer or a log could show it.
const canary = "canary-5f2b"

// payment is the body of a good payment with one field replaced by raw JSON, or left out for "".
func payment(field, value string) string {
	fields := [][2]string{{"amount", "29.99"}, {"currency", `"USD"`}, {"transaction_id", `"` + canary + `"`}}
	var parts []string
	found := false
	for _, f := range fields {
		if f[0] == field {
			found = true
			f[1] = value
		}
		if f[1] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", f[0], f[1]))
		}
	}
	if !found && field != "" {
		parts = append(parts, fmt.Sprintf("%q:%s", field, value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestRecordPayment_refusesFields(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	text := func(s string) string { return `"` + s + `"` }

	for _, c := range []struct{ field, value, reason string }{
		{"amount", "", "missing_field"},
		{"amount", "null", "missing_field"},
		{"amount", `"29.99"`, "invalid_amount"},
		{"amount", "true", "invalid_amount"},
		{"amount", "[]", "invalid_amount"},
		{"amount", "-1", "invalid_amount"},
		{"amount", "-0.01", "invalid_amount"},
		{"amount", "1e400", "invalid_amount"},
		{"amount", "1E1000000000", "invalid_amount"},
		{"amount", strings.Repeat("9", 10_000), "invalid_amount"},
		{"amount", "90071992547409.92", "invalid_amount"},
		{"amount", "29.999", "amount_precision"},
		{"amount", "30.295", "amount_precision"},
		{"currency", "", "missing_field"},
		{"currency", "null", "missing_field"},
		{"currency", `""`, "invalid_currency"},
		{"currency", "840", "invalid_currency"},
		{"currency", `"US"`, "invalid_currency"},
		{"currency", `"$"`, "invalid_currency"},
		{"currency", `"usd\u0000"`, "invalid_currency"},
		{"currency", `"ＵＳＤ"`, "invalid_currency"},
		{"currency", `"ıNR"`, "invalid_currency"},
		{"currency", `"XXX"`, "invalid_currency"},
		{"currency", `"BTC"`, "invalid_currency"},
		{"transaction_id", "", "missing_field"},
		{"transaction_id", "null", "missing_field"},
		{"transaction_id", `""`, "invalid_field"},
		{"transaction_id", "123", "invalid_field"},
		{"transaction_id", text(strings.Repeat("x", 256)), "invalid_field"},
		{"transaction_id", text(strings.Repeat("é", 128)), "invalid_field"},
		{"transaction_id", `"canary-5f2b\u0000"`, "invalid_field"},
		{"transaction_id", `"canary-5f2b\nx"`, "invalid_field"},
		{"transaction_id", `"canary-5f2b\ufffd"`, "invalid_field"},
		{"transaction_id", `" canary-5f2b"`, "invalid_field"},
		{"transaction_id", `"canary-5f2b "`, "invalid_field"},
		{"datafast_visitor_id", `""`, "invalid_field"},
		{"datafast_visitor_id", "7", "invalid_field"},
		{"datafast_session_id", `" canary-5f2b"`, "invalid_field"},
		{"customer_id", `"canary-5f2b\t"`, "invalid_field"},
		{"email", `"canary-5f2b"`, "invalid_field"},
		{"email", `"canary-5f2b@"`, "invalid_field"},
		{"email", `"canary-5f2b @example.com"`, "invalid_field"},
		{"customer_email", text(strings.Repeat("a", 310) + "@example.com"), "invalid_field"},
		{"name", text(strings.Repeat("n", 256)), "invalid_field"},
		{"name", `"canary-5f2b\u0000"`, "invalid_field"},
		{"renewal", `"true"`, "invalid_field"},
		{"refunded", "1", "invalid_field"},
		{"is_free_trial", `"canary-5f2b"`, "invalid_field"},
		{"refund_of", `"canary-5f2b"`, "conflicting_fields"},
		{"timestamp", `"2026-02-30"`, "invalid_timestamp"},
		{"timestamp", `"2026-02-03T24:00:00Z"`, "invalid_timestamp"},
		{"timestamp", `"2026-02-03T00:00:00+25:00"`, "invalid_timestamp"},
		{"timestamp", "1770000000", "invalid_timestamp"},
		{"timestamp", `""`, "invalid_timestamp"},
		{"timestamp", `"2026-05-20T13:00:01Z"`, "invalid_timestamp"},
		{"timestamp", `"1969-12-31T23:59:59Z"`, "invalid_timestamp"},
		{"metadata", `"canary-5f2b"`, "invalid_metadata"},
		{"metadata", `["canary-5f2b"]`, "invalid_metadata"},
		{"metadata", `{"a":{"b":"canary-5f2b"}}`, "invalid_metadata"},
		{"metadata", `{"a":"` + strings.Repeat("m", 256) + `"}`, "invalid_metadata"},
		{"metadata", `{"` + strings.Repeat("k", 65) + `":1}`, "invalid_metadata"},
		{"metadata", `{"0":0,"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"10":0}`, "invalid_metadata"},
	} {
		name := c.value
		if len(name) > 40 {
			name = name[:40]
		}
		t.Run(c.field+" "+name, func(t *testing.T) {
			t.Parallel()
			got := s.post(t, payment(c.field, c.value))
			fault := got.refused(t, http.StatusBadRequest, c.reason)
			require.NotNil(t, fault.Field)
			require.Equal(t, c.field, *fault.Field)
			require.NotContains(t, got.body, canary)
			if value := strings.Trim(c.value, `"`); len(value) > 4 {
				require.NotContains(t, got.body, value)
			}
			require.Zero(t, s.count(t, "payments")+s.count(t, "customers"))
		})
	}
}

func TestRecordPayment_refusesBodies(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	good := payment("", "")

	for name, c := range map[string]struct{ body, reason, field string }{
		"white space":            {" ", "invalid_json", ""},
		"null":                   {"null", "invalid_json", ""},
		"an array":               {"[" + good + "]", "invalid_json", ""},
		"a truncated object":     {good[:len(good)-1], "invalid_json", ""},
		"a second value":         {good + good, "invalid_json", ""},
		"a second, broken value": {good + " x", "invalid_json", ""},
		"NaN":                    {payment("amount", "NaN"), "invalid_json", ""},
		"a lone surrogate":       {payment("transaction_id", `"canary-5f2b\ud800"`), "invalid_json", ""},
		"invalid UTF-8":          {payment("name", "\"canary-5f2b\xff\""), "invalid_json", ""},
		"deep nesting":           {`{"metadata":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}", "invalid_json", ""},
		"unclosed nesting":       {strings.Repeat("[", 20_000), "invalid_json", ""},
		"a key twice":            {strings.TrimSuffix(good, "}") + `,"amount":1}`, "duplicate_field", ""},
		"a key twice, escaped":   {strings.TrimSuffix(good, "}") + `,"amoun\u0074":1}`, "duplicate_field", ""},
		"both dialects":          {strings.TrimSuffix(good, "}") + `,"faurya_visitor_id":"v","datafast_visitor_id":"v"}`, "conflicting_fields", ""},
		"two e-mails":            {strings.TrimSuffix(good, "}") + `,"email":"canary-5f2b@a","customer_email":"canary-5f2b@b"}`, "conflicting_fields", "email"},
		"two names":              {strings.TrimSuffix(good, "}") + `,"name":"canary-5f2b","customer_name":"b"}`, "conflicting_fields", "name"},
		"another case of a key":  {strings.Replace(good, "amount", "Amount", 1), "missing_field", "amount"},
		"a refund of nothing":    {`{"amount":0,"currency":"USD","transaction_id":"canary-5f2b","refunded":true}`, "invalid_amount", "amount"},
		"a refunded free trial":  {strings.TrimSuffix(good, "}") + `,"refunded":true,"is_free_trial":true}`, "conflicting_fields", "is_free_trial"},
		"yen with decimals":      {`{"amount":100.5,"currency":"JPY","transaction_id":"canary-5f2b"}`, "amount_precision", "amount"},
		"dinars with four":       {`{"amount":1.2345,"currency":"KWD","transaction_id":"canary-5f2b"}`, "amount_precision", "amount"},
		"Faurya without visitor": {`{"amount":1,"transaction_id":"canary-5f2b","faurya_session_id":"s"}`, "missing_field", "faurya_visitor_id"},
		"Faurya's amount of 0":   {`{"amount":0,"transaction_id":"canary-5f2b","faurya_visitor_id":"v"}`, "invalid_amount", "amount"},
		"several faults":         {`{"amount":-1,"currency":"canary-5f2b","transaction_id":""}`, "invalid_field", "transaction_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.post(t, c.body)
			fault := got.refused(t, http.StatusBadRequest, c.reason)
			if c.field != "" {
				require.Equal(t, c.field, *fault.Field)
			} else {
				require.Nil(t, fault.Field)
			}
			require.NotContains(t, got.body, canary)
			require.Zero(t, s.count(t, "payments")+s.count(t, "customers"))
		})
	}

	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		r := s.request(t, http.MethodPost, payments, "")
		r.Header.Set("Content-Type", "application/json")
		s.do(t, r).refused(t, http.StatusBadRequest, "invalid_json")
	})

	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json5", "multipart/form-data; boundary=x", ";"} {
		t.Run("content type "+contentType, func(t *testing.T) {
			t.Parallel()
			r := s.request(t, http.MethodPost, payments, good)
			r.Header.Set("Content-Type", contentType)
			s.do(t, r).refused(t, http.StatusUnsupportedMediaType, "unsupported_media_type")
			require.Zero(t, s.count(t, "payments"))
		})
	}
}
