package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestRecordPayment_accepts(t *testing.T) {
	t.Parallel()
	s := start(t, options{Timezone: "Europe/Berlin"})

	for name, c := range map[string]struct{ body, want string }{ // want: a condition on the row
		"an exponent":          {`"amount":2.999e1,"currency":"USD"`, "amount_minor = 2999"},
		"trailing zeros":       {`"amount":29.99000,"currency":"USD"`, "amount_minor = 2999"},
		"float noise":          {`"amount":30.299999999999997,"currency":"USD"`, "amount_minor = 3030"},
		"2^24+1":               {`"amount":16777217,"currency":"USD"`, "amount_minor = 1677721700"},
		"seven digits":         {`"amount":1234567.89,"currency":"USD"`, "amount_minor = 123456789"},
		"2^53-1":               {`"amount":90071992547409.91,"currency":"USD"`, "amount_minor = 9007199254740991"},
		"0":                    {`"amount":0,"currency":"USD"`, "amount_minor = 0 AND kind = 'FREE_TRIAL'"},
		"0.00":                 {`"amount":0.00,"currency":"USD"`, "kind = 'FREE_TRIAL'"},
		"-0":                   {`"amount":-0,"currency":"USD"`, "kind = 'FREE_TRIAL'"},
		"0e10":                 {`"amount":0e10,"currency":"USD"`, "kind = 'FREE_TRIAL'"},
		"a trial with a price": {`"amount":5,"currency":"USD","is_free_trial":true`, "amount_minor = 500 AND kind = 'FREE_TRIAL'"},
		"yen":                  {`"amount":100,"currency":"JPY"`, "amount_minor = 100 AND reporting_minor IS NULL"},
		"dinars":               {`"amount":1.234,"currency":"KWD"`, "amount_minor = 1234"},
		"units of account":     {`"amount":1.2345,"currency":"CLF"`, "amount_minor = 12345"},
		"lower-case currency":  {`"amount":1,"currency":"usd"`, "currency = 'USD' AND reporting_minor = 100"},
		"nulls":                {`"amount":1,"currency":"USD","email":null,"renewal":null,"timestamp":null,"metadata":null`, "kind = 'CHARGE' AND email IS NULL"},
		"the other spellings": {`"amount":1,"currency":"USD","customer_email":"Ada@Example.com","customer_name":"Ada"`,
			"email = 'Ada@Example.com' AND email_folded = 'ada@example.com' AND name = 'Ada'"},
		"equal spellings":       {`"amount":1,"currency":"USD","email":"a@b","customer_email":"a@b"`, "email = 'a@b'"},
		"lower-case t and z":    {`"amount":1,"currency":"USD","timestamp":"2026-05-01t10:00:00z"`, "occurred_at = '2026-05-01T10:00:00Z'"},
		"a space for T":         {`"amount":1,"currency":"USD","timestamp":"2026-05-01 10:00:00Z"`, "occurred_at = '2026-05-01T10:00:00Z'"},
		"nanoseconds":           {`"amount":1,"currency":"USD","timestamp":"2026-05-01T10:00:00.123456789Z"`, "occurred_at = '2026-05-01T10:00:00.123456Z'"},
		"an offset":             {`"amount":1,"currency":"USD","timestamp":"2026-05-01T10:00:00+02:00"`, "occurred_at = '2026-05-01T08:00:00Z'"},
		"the website's time":    {`"amount":1,"currency":"USD","timestamp":"2026-05-01T10:00:00"`, "occurred_at = '2026-05-01T08:00:00Z'"},
		"the website's day":     {`"amount":1,"currency":"USD","timestamp":"2026-01-01"`, "occurred_at = '2025-12-31T23:00:00Z'"},
		"24 hours ahead":        {`"amount":1,"currency":"USD","timestamp":"2026-05-20T12:00:00Z"`, "occurred_at = '2026-05-20T12:00:00Z'"},
		"the time of the clock": {`"amount":1,"currency":"USD"`, "occurred_at = '2026-05-19T12:00:00Z' AND recorded_at = occurred_at"},
		"SQL and HTML": {`"amount":1,"currency":"USD","name":"<script>alert(1)</script>{{7*7}}","customer_id":"'; DROP TABLE payments; --"`,
			`name = '<script>alert(1)</script>{{7*7}}' AND customer_id = '''; DROP TABLE payments; --'`},
		"metadata": {`"amount":1,"currency":"USD","metadata":{"n":1.50,"b":true,"z":null,"s":"x"}`, `metadata::text = '{"b":true,"n":1.50,"s":"x","z":null}'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := "tx " + name
			s.posted(t, `{"transaction_id":"`+id+`",`+c.body+`}`)
			require.Equal(t, 1, s.count(t, "payments WHERE transaction_id = $1 AND "+c.want, id))
		})
	}

	t.Run("an id of 255 bytes, and one of SQL", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{strings.Repeat("é", 127) + "x", `\' OR 1=1; --`, `%00 "quoted" \u0000 ?0 $1`, "<b>&amp;</b>"} {
			quoted, err := json.Marshal(id)
			require.NoError(t, err)
			got := s.post(t, `{"amount":1,"currency":"USD","transaction_id":`+string(quoted)+`}`)
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, 1, s.count(t, "payments WHERE transaction_id = $1", id))
		}
	})

	t.Run("keys that it does not know, by name", func(t *testing.T) {
		t.Parallel()
		got := s.post(t, `{"amount":1,"custmer_id":"c","currency":"USD","transaction_id":"ignored","Email":{"a":[1]}}`)
		require.Equal(t, `{"message":"Payment recorded successfully","transaction_id":"ignored","ignored_fields":["custmer_id","Email"]}`, got.body)
	})

	t.Run("a content type with parameters", func(t *testing.T) {
		t.Parallel()
		r := s.request(t, http.MethodPost, payments, `{"amount":1,"currency":"USD","transaction_id":"charset"}`)
		r.Header.Set("Content-Type", "Application/JSON; charset=UTF-8")
		require.Equal(t, http.StatusOK, s.do(t, r).status)
	})

	t.Run("a visitor of another website, without crediting it", func(t *testing.T) {
		t.Parallel()
		other := s.website(t, model.Website{AccountID: s.site.AccountID})
		s.visit(t, "neighbour")
		r := s.request(t, http.MethodPost, payments, `{"amount":1,"currency":"USD","transaction_id":"next door","datafast_visitor_id":"neighbour"}`)
		r.Header.Set("Authorization", "Bearer "+s.newToken(t, model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: other.ID}))
		require.Contains(t, s.do(t, r).body, "Payment recorded successfully")
	})
}

func TestRecordPayment_again(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	const body = `{"amount":29.99,"currency":"USD","transaction_id":"t1","email":"ada@example.com"}`
	require.Equal(t, "Payment recorded successfully", s.posted(t, body))

	require.Equal(t, "Payment already recorded", s.posted(t, body))
	require.Equal(t, "Payment already recorded", s.posted(t, `{"amount":2999e-2,"currency":"usd","transaction_id":"t1"}`))
	require.Equal(t, "Payment already recorded, and nothing was changed; this request differs in amount, customer_id",
		s.posted(t, `{"amount":30,"currency":"USD","transaction_id":"t1","customer_id":"c1"}`))
	s.clock.forward(366 * 24 * time.Hour)
	require.Equal(t, "Payment already recorded", s.posted(t, body))
	require.Equal(t, 1, s.count(t, "payments WHERE amount_minor = 2999 AND recorded_at = $1", noon))
	require.Equal(t, revenue{"29.99", "0.00", "29.99", 1, 0, 0, 0}, s.totals(t))
}

func TestRecordPayment_refunds(t *testing.T) {
	t.Parallel()
	const charge = `{"amount":10,"currency":"USD","transaction_id":"t1","datafast_visitor_id":"v"}`
	refund := func(id, amount, currency string) string {
		return `{"amount":` + amount + `,"currency":"` + currency + `","transaction_id":"` + id + `","refunded":true,"refund_of":"t1"}`
	}

	t.Run("in parts, up to their charge", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.visit(t, "v")
		s.posted(t, charge)
		require.Equal(t, "Refund recorded and attributed successfully", s.posted(t, refund("r1", "6", "USD")))
		require.Equal(t, "amount", *s.post(t, refund("r2", "4.01", "USD")).refused(t, http.StatusBadRequest, "refund_exceeds_charge").Field)
		require.Equal(t, "currency", *s.post(t, refund("r2", "4", "EUR")).refused(t, http.StatusBadRequest, "refund_currency_mismatch").Field)
		require.Equal(t, "Payment already recorded", s.posted(t, refund("r1", "6", "USD")))
		require.Equal(t, "Refund recorded and attributed successfully", s.posted(t, refund("r2", "4", "USD")))
		require.Equal(t, revenue{"10.00", "10.00", "0.00", 1, 0, 2, 0}, s.totals(t))
	})

	t.Run("before their charge give the same totals", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		require.Equal(t, "Refund recorded successfully", s.posted(t, refund("r1", "6", "USD")))
		require.Equal(t, "Refund recorded successfully", s.posted(t, refund("r2", "4", "USD")))
		s.posted(t, charge)
		s.visit(t, "v")
		require.Equal(t, revenue{"10.00", "10.00", "0.00", 1, 0, 2, 0}, s.totals(t))
		require.Equal(t, 2, s.count(t, "payments WHERE is_refund AND visitor_id = 'v' AND basis = 'REFUNDED_PAYMENT'"))
	})

	t.Run("under the charge's own id", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.posted(t, charge)
		require.Equal(t, "Refund recorded successfully", s.posted(t, `{"amount":10,"currency":"USD","transaction_id":"t1","refunded":true}`))
		require.Equal(t, "Payment already recorded", s.posted(t, `{"amount":10,"currency":"USD","transaction_id":"t1","refunded":true}`))
		require.Equal(t, revenue{"10.00", "10.00", "0.00", 1, 0, 1, 0}, s.totals(t))
	})
}
