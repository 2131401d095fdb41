package rest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestHandler_DeletePayments(t *testing.T) {
	t.Parallel()

	t.Run("answers the documents' examples byte for byte", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.deleted = 3
		require.Equal(t, `{"status":"success","data":[{"message":"All payments for visitor deleted successfully within time range",`+
			`"datafast_visitor_id":"abc123","timeRange":{"start":"2023-01-01T00:00:00.000Z","end":"2023-01-31T23:59:59.000Z"},"deleted":3}]}`,
			a.ok(t, "DELETE", path+"?datafast_visitor_id=abc123&startAt=2023-01-01T00:00:00Z&endAt=2023-01-31T23:59:59Z", ""))
		a.deleted = 1
		require.Equal(t, `{"status":"success","message":"Payment event deleted","deleted":1,"transaction_id":"payment_456"}`,
			a.ok(t, "DELETE", path, `{"transaction_id":"payment_456"}`))
		require.Equal(t, `{"status":"success","data":[{"message":"Payment deleted successfully","transaction_id":"payment_456","deleted":1}]}`,
			a.ok(t, "DELETE", path+"?transaction_id=payment_456", ""))
	})

	// May 2026 in Berlin, where the website is.
	may := model.Range{From: time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC), To: time.Date(2026, 5, 31, 22, 0, 0, 0, time.UTC)}
	for name, c := range map[string]struct {
		query, body string
		want        model.Deletion
		answer      string // a part of it
	}{
		"a transaction": {"?transaction_id=a%2Bb%20c,d", "", model.Deletion{TransactionID: new("a+b c,d")}, `"transaction_id":"a+b c,d","deleted"`},
		"tx_id":         {"?tx_id=t", "", model.Deletion{TransactionID: new("t")}, `"transaction_id":"t"`},
		"a transaction, which stands alone": {"?tx_id=t&datafast_visitor_id=v&startAt=2026-05-01", "",
			model.Deletion{TransactionID: new("t")}, `[{"message":"Payment deleted successfully","transaction_id":"t","deleted":2}]`},
		"a visitor": {"?datafast_visitor_id=v", "", model.Deletion{VisitorID: new("v")},
			`[{"message":"All payments for visitor deleted successfully","datafast_visitor_id":"v","deleted":2}]`},
		"a range of dates": {"?startAt=2026-05-01&endAt=2026-05-31", "", model.Deletion{Range: may},
			`"message":"All payments deleted successfully within time range","timeRange":{"start":"2026-04-30T22:00:00.000Z","end":"2026-05-31T21:59:59.000Z"}`},
		"start and end": {"?start=2026-05-01&end=2026-05-31", "", model.Deletion{Range: may}, `"deleted":2`},
		"a range to the millisecond": {"?startAt=2026-04-30T22:00:00.000Z&endAt=2026-05-31T21:59:59.999Z", "", model.Deletion{Range: may},
			`"end":"2026-05-31T21:59:59.999Z"`},
		"an escaped offset":            {"?startAt=2026-05-01T00:00:00%2B02:00&endAt=2026-05-31T23:59:59%2B02:00", "", model.Deletion{Range: may}, `"deleted":2`},
		"a query beside an empty body": {"?tx_id=t", "{}", model.Deletion{TransactionID: new("t")}, `"data":[`},
		"a query beside a null filter": {"?tx_id=t", `{"tx_id":null}`, model.Deletion{TransactionID: new("t")}, `"data":[`},

		"Faurya's tx_id": {"", `{"tx_id":"t"}`, model.Deletion{TransactionID: new("t")},
			`{"status":"success","message":"Payment event deleted","deleted":2,"transaction_id":"t"}`},
		"Faurya's visitor": {"?websiteId=64f1c0ffee5b2a0012ab34cd", `{"faurya_visitor_id":"v","startAt":null}`, model.Deletion{VisitorID: new("v")},
			`{"status":"success","message":"Payment events deleted","deleted":2,"faurya_visitor_id":"v"}`},
		"Faurya's range": {"", `{"startDate":"2026-05-01","endDate":"2026-05-31"}`, model.Deletion{Range: may},
			`"timeRange":{"start":"2026-04-30T22:00:00.000Z","end":"2026-05-31T21:59:59.000Z"}`},
		"Faurya's range until now": {"", `{"startAt":"2026-05-01"}`, model.Deletion{Range: model.Range{From: may.From, To: now}},
			`"end":"2026-05-20T11:59:59.999Z"`},
		"Faurya's range from the beginning": {"", `{"endAt":"2026-05-31"}`, model.Deletion{Range: model.Range{To: may.To}},
			`"start":"1970-01-01T00:00:00.000Z"`},
		"all of Faurya's filters": {"", `{"transaction_id":"t","faurya_visitor_id":"v","startAt":"2026-05-01","endDate":"2026-05-31"}`,
			model.Deletion{TransactionID: new("t"), VisitorID: new("v"), Range: may}, `"message":"Payment event deleted"`},
	} {
		t.Run("by "+name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.deleted = 2
			require.Contains(t, a.ok(t, "DELETE", path+c.query, c.body), c.answer)
			require.Empty(t, cmp.Diff([]model.Deletion{c.want}, a.deletions))
		})
	}

	t.Run("that match nothing", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		require.Contains(t, a.ok(t, "DELETE", path+"?datafast_visitor_id=v", ""), `"deleted":0`)
		for query, body := range map[string]string{"?tx_id=t": "", "": `{"faurya_visitor_id":"v"}`} {
			reason, _ := a.fails(t, http.StatusNotFound, request("DELETE", path+query, body))
			require.Equal(t, "payment_not_found", reason)
		}
	})
}

func TestHandler_DeletePayments_refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ query, body, reason, field string }{
		"no filter":                    {"", "", "missing_filter", ""},
		"only a website":               {"?websiteId=64f1c0ffee5b2a0012ab34cd", "", "missing_filter", ""},
		"an empty body":                {"", "{}", "missing_filter", ""},
		"a body of nulls":              {"", `{"transaction_id":null}`, "missing_filter", ""},
		"an empty value":               {"?transaction_id=", "", "invalid_field", "transaction_id"},
		"a name alone":                 {"?transaction_id", "", "invalid_field", "transaction_id"},
		"a misspelt parameter":         {"?transactionId=t", "", "unknown_parameter", ""},
		"another case":                 {"?Transaction_id=t", "", "unknown_parameter", ""},
		"an unknown parameter":         {"?tx_id=t&dryRun=true", "", "unknown_parameter", ""},
		"Faurya's visitor in a query":  {"?faurya_visitor_id=v", "", "unknown_parameter", ""},
		"an array parameter":           {"?tx_id[]=t", "", "unknown_parameter", ""},
		"an empty parameter":           {"?tx_id=t&&", "", "unknown_parameter", ""},
		"a repeated parameter":         {"?tx_id=t&tx_id=u", "", "duplicate_parameter", "tx_id"},
		"a repeated, escaped name":     {"?tx_id=t&tx%5Fid=t", "", "duplicate_parameter", "tx_id"},
		"a broken escape":              {"?tx_id=%zz", "", "invalid_field", "tx_id"},
		"a semicolon":                  {"?tx_id=t;startAt=2026-05-01", "", "invalid_field", "tx_id"},
		"invalid UTF-8":                {"?tx_id=%ff", "", "invalid_field", "tx_id"},
		"a control character":          {"?tx_id=a%00", "", "invalid_field", "tx_id"},
		"a bad visitor":                {"?datafast_visitor_id=%20", "", "invalid_field", "datafast_visitor_id"},
		"both spellings":               {"?tx_id=t&transaction_id=t", "", "conflicting_fields", "transaction_id"},
		"both starts":                  {"?start=2026-05-01&startAt=2026-05-01&end=2026-05-02", "", "conflicting_fields", "startAt"},
		"a start alone":                {"?startAt=2026-05-01", "", "invalid_range", "endAt"},
		"an end alone":                 {"?datafast_visitor_id=v&end=2026-05-01", "", "invalid_range", "startAt"},
		"an end before its start":      {"?start=2026-05-02&endAt=2026-05-01", "", "invalid_range", "start"},
		"no time":                      {"?startAt=yesterday&endAt=2026-05-01", "", "invalid_timestamp", "startAt"},
		"no time, other spelling":      {"?startAt=2026-05-01&end=2026-02-30", "", "invalid_timestamp", "end"},
		"an unescaped offset":          {"?startAt=2026-05-01T00:00:00+02:00&endAt=2026-05-31", "", "invalid_timestamp", "startAt"},
		"an unescaped offset of a day": {"?startAt=2026-05-01+02:00&endAt=2026-05-31", "", "invalid_timestamp", "startAt"},
		"filters in both places":       {"?tx_id=t", `{"tx_id":"t"}`, "conflicting_fields", ""},

		"a body that is no object":  {"", `[]`, "invalid_json", ""},
		"white space for a body":    {"", ` `, "invalid_json", ""},
		"a key twice":               {"", `{"tx_id":"t","tx_id":"t"}`, "duplicate_field", ""},
		"an unknown key":            {"", `{"faurya_visitor_id":"v","start_at":"2026-05-01"}`, "unknown_parameter", ""},
		"DataFast's key in a body":  {"", `{"datafast_visitor_id":"v"}`, "unknown_parameter", ""},
		"a number for an id":        {"", `{"transaction_id":5}`, "invalid_field", "transaction_id"},
		"an empty id":               {"", `{"tx_id":""}`, "invalid_field", "tx_id"},
		"Faurya's bad visitor":      {"", `{"faurya_visitor_id":" v"}`, "invalid_field", "faurya_visitor_id"},
		"both of Faurya's starts":   {"", `{"startAt":"2026-05-01","startDate":"2026-05-01"}`, "conflicting_fields", "startAt"},
		"Faurya's bad time":         {"", `{"endDate":"x"}`, "invalid_timestamp", "endDate"},
		"a range that starts later": {"", `{"startDate":"2026-06-01"}`, "invalid_range", "startDate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			reason, field := a.fails(t, http.StatusBadRequest, request("DELETE", path+c.query, c.body))
			require.Equal(t, c.reason, reason)
			require.Equal(t, c.field, field)
			require.Empty(t, a.deletions)
		})
	}

	t.Run("a payment's misspelt website", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		reason, _ := a.fails(t, http.StatusBadRequest, request("POST", path+"?website_id=x", dataFastExample))
		require.Equal(t, "unknown_parameter", reason)
	})

	t.Run("with a message that does not echo", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		for _, query := range []string{"?secret=1", "?tx_id=%00secret", "?startAt=secret&endAt=secret"} {
			detail := a.failure(t, a.do(t, request("DELETE", path+query, "")))
			require.False(t, strings.Contains(detail.Message, "secret"), detail.Message)
		}
	})
}
