package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// The requests and answers of DataFast's and Faurya's documents, whose answers are compared to the byte.
const (
	dataFastPayment = `{
  "amount": 29.99,
  "currency": "USD",
  "transaction_id": "payment_456",
  "datafast_visitor_id": "visitor-id-from-cookie"
}`
	fauryaPayment = `{
  "faurya_visitor_id": "visitor-id-from-cookie",
  "faurya_session_id": "session-id-from-cookie",
  "transaction_id": "payment_456",
  "amount": 29.99,
  "metadata": {
    "plan": "starter",
    "provider": "custom_checkout"
  }
}`
	attributedAnswer = `{"message":"Payment recorded and attributed successfully","transaction_id":"payment_456"}`
	recordedAnswer   = `{"message":"Payment recorded successfully","transaction_id":"payment_456"}`
)

func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	is := func(t *testing.T, want string, got answer) {
		t.Helper()
		require.Equal(t, http.StatusOK, got.status, got.body)
		require.Equal(t, want, got.body)
		require.Equal(t, "application/json", got.header.Get("Content-Type"))
	}

	t.Run("DataFast's payment of a visitor that was seen", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.visit(t, "visitor-id-from-cookie")
		is(t, attributedAnswer, s.post(t, dataFastPayment))
	})

	t.Run("DataFast's payment of a visitor that was not", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		is(t, recordedAnswer, s.post(t, dataFastPayment))
	})

	t.Run("DataFast's payment with an account token", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.visit(t, "visitor-id-from-cookie")
		r := s.request(t, http.MethodPost, payments+"?websiteId="+s.site.ID, dataFastPayment)
		r.Header.Set("Authorization", "Bearer "+s.newToken(t, model.Token{
			Prefix: model.PrefixAccountToken, AccountID: s.site.AccountID, Scopes: []model.Scope{model.ScopePaymentsWrite},
		}))
		is(t, attributedAnswer, s.do(t, r))
	})

	t.Run("DataFast's free trial, renewal and refund", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.visit(t, "visitor-id-from-cookie")
		with := func(more string) string { return strings.TrimSuffix(dataFastPayment, "\n}") + ",\n" + more + "}" }
		id := func(body, id string) string { return strings.Replace(body, "payment_456", id, 1) }
		is(t, attributedAnswer, s.post(t, with(`"email": "ada@example.com", "name": "Ada", "customer_id": "cus_1", "timestamp": "2026-05-01T00:00:00Z"`)))
		is(t, `{"message":"Payment recorded and attributed successfully","transaction_id":"renewal"}`, s.post(t, id(with(`"renewal": true`), "renewal")))
		is(t, `{"message":"Payment recorded and attributed successfully","transaction_id":"trial"}`,
			s.post(t, id(strings.Replace(dataFastPayment, "29.99", "0", 1), "trial")))
		is(t, `{"message":"Refund recorded and attributed successfully","transaction_id":"payment_456"}`, s.post(t, with(`"refunded": true`)))
		require.Equal(t, revenue{"59.98", "29.99", "29.99", 1, 1, 1, 1}, s.totals(t))
	})

	t.Run("DataFast's deletes", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.visit(t, "visitor-id-from-cookie")
		s.posted(t, dataFastPayment)
		is(t, `{"status":"success","data":[{"message":"Payment deleted successfully","transaction_id":"payment_456","deleted":1}]}`,
			s.delete(t, "?transaction_id=payment_456", ""))
		s.posted(t, dataFastPayment)
		is(t, `{"status":"success","data":[{"message":"All payments for visitor deleted successfully within time range",`+
			`"datafast_visitor_id":"visitor-id-from-cookie","timeRange":{"start":"2026-05-01T00:00:00.000Z","end":"2026-05-19T23:59:59.000Z"},"deleted":1}]}`,
			s.delete(t, "?datafast_visitor_id=visitor-id-from-cookie&startAt=2026-05-01T00:00:00Z&endAt=2026-05-19T23:59:59Z", ""))
		for id, at := range map[string]string{"first": "2023-01-01T00:00:00Z", "middle": "2023-01-16", "last": "2023-01-31T23:59:59.999999Z", "next": "2023-02-01"} {
			s.posted(t, `{"amount":1,"currency":"USD","transaction_id":"`+id+`","datafast_visitor_id":"abc123","timestamp":"`+at+`"}`)
		}
		is(t, `{"status":"success","data":[{"message":"All payments for visitor deleted successfully within time range","datafast_visitor_id":"abc123",`+
			`"timeRange":{"start":"2023-01-01T00:00:00.000Z","end":"2023-01-31T23:59:59.000Z"},"deleted":3}]}`,
			s.delete(t, "?datafast_visitor_id=abc123&startAt=2023-01-01T00:00:00Z&endAt=2023-01-31T23:59:59Z", ""))
		require.Equal(t, 1, s.count(t, "payments WHERE transaction_id = 'next'"))
	})

	t.Run("Faurya's payment and delete", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.visit(t, "visitor-id-from-cookie")
		is(t, recordedAnswer, s.post(t, fauryaPayment))
		s.post(t, fauryaPayment).refused(t, http.StatusBadRequest, "duplicate_transaction")
		is(t, `{"status":"success","message":"Payment event deleted","deleted":1,"transaction_id":"payment_456"}`,
			s.delete(t, "", `{"transaction_id": "payment_456"}`))
		s.delete(t, "", `{"transaction_id": "payment_456"}`).refused(t, http.StatusNotFound, "payment_not_found")
	})

	t.Run("Faurya's payment of a visitor that was not seen", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		require.Equal(t, "faurya_visitor_id", *s.post(t, fauryaPayment).refused(t, http.StatusNotFound, "visitor_not_found").Field)
		require.Zero(t, s.count(t, "payments"))
	})
}
