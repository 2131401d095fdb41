package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// deletable is a stack with payments in May 2026 of two visitors, and one of the next website.
func deletable(t *testing.T) (s *stack, neighbour model.Website) {
	t.Helper()
	s = start(t, options{})
	neighbour = s.website(t, model.Website{AccountID: s.site.AccountID})
	for _, p := range []string{
		`"amount":10,"transaction_id":"a1","datafast_visitor_id":"ada","timestamp":"2026-05-01T00:00:00Z"`,
		`"amount":4,"transaction_id":"a1","refunded":true,"timestamp":"2026-05-10T10:00:00Z"`,
		`"amount":20,"transaction_id":"a2","datafast_visitor_id":"ada","timestamp":"2026-05-15T23:59:59.999999Z"`,
		`"amount":40,"transaction_id":"b1","datafast_visitor_id":"bob","timestamp":"2026-05-15T12:00:00Z"`,
		`"amount":0,"transaction_id":"b2","datafast_visitor_id":"bob","timestamp":"2026-05-16T00:00:00Z"`,
	} {
		s.posted(t, `{"currency":"USD",`+p+`}`)
	}
	r := s.request(t, http.MethodPost, payments+"?websiteId="+neighbour.ID, `{"amount":99,"currency":"USD","transaction_id":"a1","datafast_visitor_id":"ada"}`)
	r.Header.Set("Authorization", "Bearer "+s.token)
	require.Equal(t, http.StatusOK, s.do(t, r).status)
	return s, neighbour
}

func TestDeletePayments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query, body string
		deleted     int
		left        revenue
	}{
		"transaction":         {"?transaction_id=a1", "", 2, revenue{"60.00", "0.00", "60.00", 2, 0, 0, 1}},
		"tx_id":               {"?tx_id=a2", "", 1, revenue{"50.00", "4.00", "46.00", 2, 0, 1, 1}},
		"transaction alone":   {"?tx_id=a2&datafast_visitor_id=bob&startAt=2020-01-01", "", 1, revenue{"50.00", "4.00", "46.00", 2, 0, 1, 1}},
		"visitor":             {"?datafast_visitor_id=ada", "", 3, revenue{"40.00", "0.00", "40.00", 1, 0, 0, 1}},
		"visitor and range":   {"?datafast_visitor_id=ada&startAt=2026-05-01&endAt=2026-05-14", "", 2, revenue{"60.00", "0.00", "60.00", 2, 0, 0, 1}},
		"range":               {"?startAt=2026-05-15&endAt=2026-05-15", "", 2, revenue{"10.00", "4.00", "6.00", 1, 0, 1, 1}},
		"range, other names":  {"?start=2026-05-15T23:59:59.999999Z&end=2026-05-16T00:00:00Z", "", 2, revenue{"50.00", "4.00", "46.00", 2, 0, 1, 0}},
		"website and visitor": {"?websiteId=%s&datafast_visitor_id=bob", "", 2, revenue{"30.00", "4.00", "26.00", 2, 0, 1, 0}},

		"Faurya's transaction":        {"", `{"transaction_id":"a1"}`, 2, revenue{"60.00", "0.00", "60.00", 2, 0, 0, 1}},
		"Faurya's tx_id":              {"", `{"tx_id":"a2"}`, 1, revenue{"50.00", "4.00", "46.00", 2, 0, 1, 1}},
		"Faurya's visitor":            {"?websiteId=%s", `{"faurya_visitor_id":"ada"}`, 3, revenue{"40.00", "0.00", "40.00", 1, 0, 0, 1}},
		"Faurya's range":              {"", `{"startAt":"2026-05-15","endAt":"2026-05-15"}`, 2, revenue{"10.00", "4.00", "6.00", 1, 0, 1, 1}},
		"Faurya's range, other names": {"", `{"startDate":"2026-05-01","endDate":"2026-05-14"}`, 2, revenue{"60.00", "0.00", "60.00", 2, 0, 0, 1}},
		"Faurya's range until now":    {"", `{"startAt":"2026-05-15T12:00:01Z"}`, 2, revenue{"50.00", "4.00", "46.00", 2, 0, 1, 0}},
		"Faurya's range from ever":    {"", `{"endAt":"2026-05-15"}`, 4, revenue{"0.00", "0.00", "0.00", 0, 0, 0, 1}},
		"all of Faurya's filters":     {"", `{"tx_id":"a1","faurya_visitor_id":"ada","startAt":"2026-05-01","endAt":"2026-05-02"}`, 1, revenue{"60.00", "4.00", "56.00", 2, 0, 1, 1}},
	} {
		t.Run("by "+name, func(t *testing.T) {
			t.Parallel()
			s, neighbour := deletable(t)
			if name == "website and visitor" || name == "Faurya's visitor" {
				c.query = fmt.Sprintf(c.query, s.site.ID)
			}
			got := s.delete(t, c.query, c.body)
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Contains(t, got.body, fmt.Sprintf(`"deleted":%d`, c.deleted))
			require.Equal(t, c.left, s.totals(t))
			require.Equal(t, 1, s.count(t, "payments WHERE website_id = $1", neighbour.ID), "another website's payment stays")

			again := s.delete(t, c.query, c.body)
			if c.body != "" || c.deleted == 1 || name == "transaction" {
				again.refused(t, http.StatusNotFound, "payment_not_found")
			} else {
				require.Equal(t, http.StatusOK, again.status, again.body)
				require.Contains(t, again.body, `"deleted":0`)
			}
			require.Equal(t, c.left, s.totals(t))
		})
	}

	t.Run("leaves an audit entry", func(t *testing.T) {
		t.Parallel()
		s, _ := deletable(t)
		s.delete(t, "?datafast_visitor_id=ada&startAt=2026-05-01&endAt=2026-05-14", "")
		s.delete(t, "?tx_id=b1", "")
		s.delete(t, "", `{"tx_id":"b1"}`).refused(t, http.StatusNotFound, "payment_not_found")
		keys, err := s.store.Tokens(t.Context(), s.site.ID)
		require.NoError(t, err)
		require.Equal(t, 1, s.count(t, `payment_deletions WHERE website_id = $1 AND token_id = $2 AND deleted_at = $3 AND visitor_id = 'ada'
			AND transaction_id IS NULL AND range_from = '2026-05-01Z' AND range_to = '2026-05-15Z' AND deleted_count = 2`, s.site.ID, keys[0].ID, noon))
		require.Equal(t, 1, s.count(t, `payment_deletions WHERE transaction_id = 'b1' AND visitor_id IS NULL AND range_from IS NULL AND deleted_count = 1`))
		require.Equal(t, 2, s.count(t, "payment_deletions"), "what deleted nothing by a transaction id left none")
	})

	t.Run("makes room for the payment to come again", func(t *testing.T) {
		t.Parallel()
		s, _ := deletable(t)
		s.delete(t, "?tx_id=a1", "")
		require.Equal(t, "Payment recorded successfully", s.posted(t, `{"amount":7,"currency":"USD","transaction_id":"a1"}`))
		require.Equal(t, revenue{"67.00", "0.00", "67.00", 3, 0, 0, 1}, s.totals(t))
	})

	t.Run("knows nothing of another website's payments", func(t *testing.T) {
		t.Parallel()
		s, _ := deletable(t)
		other := s.website(t, model.Website{AccountID: s.site.AccountID})
		s.key = s.newToken(t, model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: other.ID})
		before := s.count(t, "payments")
		s.delete(t, "?transaction_id=a2", "").refused(t, http.StatusNotFound, "payment_not_found")
		s.delete(t, "", `{"faurya_visitor_id":"ada"}`).refused(t, http.StatusNotFound, "payment_not_found")
		require.Contains(t, s.delete(t, "?datafast_visitor_id=ada", "").body, `"deleted":0`)
		require.Contains(t, s.delete(t, "?startAt=1970-01-01&endAt=2030-01-01", "").body, `"deleted":0`)
		require.Equal(t, before, s.count(t, "payments"))
	})
}

func TestDeletePayments_refuses(t *testing.T) {
	t.Parallel()
	s, _ := deletable(t)
	before := s.count(t, "payments")
	for name, c := range map[string]struct{ query, body, reason, field string }{
		"no filter":               {"", "", "missing_filter", ""},
		"only a website":          {"?websiteId=" + s.site.ID, "", "missing_filter", ""},
		"no filter in a body":     {"", "{}", "missing_filter", ""},
		"nulls for filters":       {"", `{"tx_id":null,"startAt":null}`, "missing_filter", ""},
		"an empty value":          {"?datafast_visitor_id=", "", "invalid_field", "datafast_visitor_id"},
		"an unknown parameter":    {"?datafast_visitor_id=ada&canary-5f2b=1", "", "unknown_parameter", ""},
		"a misspelt parameter":    {"?datafast_visitor_id=ada&startat=2026-05-01&endat=2026-05-02", "", "unknown_parameter", ""},
		"a repeated parameter":    {"?tx_id=a1&tx_id=a2", "", "duplicate_parameter", "tx_id"},
		"both spellings":          {"?tx_id=a1&transaction_id=a1", "", "conflicting_fields", "transaction_id"},
		"a start alone":           {"?startAt=2026-05-01", "", "invalid_range", "endAt"},
		"an end alone":            {"?datafast_visitor_id=ada&endAt=2026-05-01", "", "invalid_range", "startAt"},
		"an end before its start": {"?startAt=2026-05-02&endAt=2026-05-01", "", "invalid_range", "startAt"},
		"no time":                 {"?startAt=canary-5f2b&endAt=2026-05-01", "", "invalid_timestamp", "startAt"},
		"a plus":                  {"?startAt=2026-05-01T00:00:00+02:00&endAt=2026-05-31", "", "invalid_timestamp", "startAt"},
		"a plus after minutes":    {"?startAt=2026-05-01&endAt=2026-05-31T00:00+02:00", "", "invalid_timestamp", "endAt"},
		"a plus after a date":     {"?startAt=2026-05-01+02:00&endAt=2026-05-31", "", "invalid_timestamp", "startAt"},
		"filters in both places":  {"?tx_id=a1", `{"tx_id":"a1"}`, "conflicting_fields", ""},
		"an unknown key":          {"", `{"faurya_visitor_id":"ada","start":"2026-05-01"}`, "unknown_parameter", ""},
		"a number for an id":      {"", `{"tx_id":1}`, "invalid_field", "tx_id"},
		"two objects":             {"", `{"tx_id":"a1"}{"tx_id":"a2"}`, "invalid_json", ""},
		"a range in the future":   {"", `{"startAt":"2026-06-01"}`, "invalid_range", "startAt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.delete(t, c.query, c.body)
			fault := got.refused(t, http.StatusBadRequest, c.reason)
			if c.field != "" {
				require.Equal(t, c.field, *fault.Field)
			}
			require.NotContains(t, got.body, canary)
			require.Equal(t, before, s.count(t, "payments"))
			require.Zero(t, s.count(t, "payment_deletions"))
		})
	}
}
