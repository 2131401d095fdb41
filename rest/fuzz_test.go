package rest_test

import (
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
	"tributary/openapi"
)

// answered requires an answer that a client can cause, and is the error's reason, "" for none.
func answered(t *testing.T, res *http.Response, body []byte) openapi.ErrorReason {
	t.Helper()
	if res.StatusCode == http.StatusOK {
		return ""
	}
	require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, res.StatusCode, string(body))
	var envelope openapi.ErrorResponse
	require.NoError(t, json.Unmarshal(body, &envelope))
	require.True(t, envelope.Error.Reason.Valid())
	return envelope.Error.Reason
}

func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		event("pageview", `,"referrer":"https://a.example/","adClickIds":{"gclid":"1"}`), event("custom", `,"extraData":{"eventName":"n","a\"b":[1],"\u0063":1e5}`),
		event("identify", `,"extraData":{"user_id":-1.5e3,"email":"a@b"}`), event("payment", `,"extraData":{"email":"a@b","x":null}`),
		event("external_link", `,"extraData":{"url":"mailto:a","text":"é"}`), event("pageview", `,"cookieless":true`), `{"type":"custom","extraData":[{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a := newAPI(t)
		r := request("POST", events, string(body))
		r.Header.Set("Content-Type", "text/plain")
		res, answer := a.serve(t, r)
		if answered(t, res, answer) != "" {
			return
		}
		var sent map[string]any
		require.NoError(t, json.Unmarshal(body, &sent))
		require.Equal(t, 1, len(a.views)+len(a.events))
		for _, event := range a.events {
			data, _ := sent["extraData"].(map[string]any)
			for key, value := range event.Properties {
				if number, ok := value.(json.Number); ok {
					value, _ = number.Float64()
				}
				require.Equal(t, data[key], value, "%q of %s", key, body)
			}
		}
	})
}

// plainAmount is a number of dollars and cents that nobody can take for something else.
var plainAmount = regexp.MustCompile(`^(0|[1-9][0-9]{0,12})(\.[0-9]{1,2}0{0,20})?$`)

func FuzzAmount(f *testing.F) {
	for _, seed := range []string{
		"29.99", "0", "-0", "0e10", "2.999e1", "29.990", "16777217", "1234567.89", "90071992547409.91", "90071992547409.92", "29.999",
		"30.299999999999997", "30.295", "-1", "1e400", "1E1000000000", "1e-1000000000", "NaN", "01", "1.", ".5", "+1", `"1"`, "true", "null", "[1]",
		strings.Repeat("9", 10_000), "0." + strings.Repeat("0", 300) + "1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, amount string) {
		a := newAPI(t)
		r := request("POST", path, `{"amount":`+amount+`,"currency":"USD","transaction_id":"t"}`)
		res, body := a.serve(t, r)
		if reason := answered(t, res, body); reason != "" {
			require.False(t, plainAmount.MatchString(amount), "%s: %s", amount, reason)
			return
		}
		if plainAmount.MatchString(amount) {
			exact, ok := new(big.Rat).SetString(amount)
			require.True(t, ok)
			require.Zero(t, exact.Mul(exact, big.NewRat(100, 1)).Cmp(new(big.Rat).SetInt64(a.payments[0].Amount.Minor)), amount)
		}
		require.LessOrEqual(t, a.payments[0].Amount.Minor, int64(model.MaxMinor))
		require.GreaterOrEqual(t, a.payments[0].Amount.Minor, int64(0))
	})
}

func FuzzTimestamp(f *testing.F) {
	for _, seed := range []string{
		"2026-05-01T12:00:00Z", "2026-05-01t12:00:00z", "2026-05-01 12:00:00+02:00", "2026-05-01", "2026-05-01T12:00", "2026-05-01T12:00:00.123456789-0330",
		"2026-02-30", "2026-05-01T24:00:00Z", "2026-05-01T12:00:00+25:00", "", "1969-12-31", "9999-12-31T23:59:59Z", "2026-05-01 12:00", "1770000000", "2026-03-29T02:30:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, timestamp string) {
		text, err := json.Marshal(timestamp)
		require.NoError(t, err)
		a := newAPI(t)
		res, body := a.serve(t, request("POST", path, `{"amount":1,"currency":"USD","transaction_id":"t","timestamp":`+string(text)+`}`))
		if reason := answered(t, res, body); reason != "" {
			require.Equal(t, openapi.ErrorReasonInvalidTimestamp, reason)
			return
		}
		got := a.payments[0].OccurredAt
		require.False(t, got.Before(time.Unix(0, 0)))
		require.False(t, got.After(now.Add(24*time.Hour)))
		if want, err := time.Parse(time.RFC3339, timestamp); err == nil {
			require.Equal(t, want.UTC().Truncate(time.Microsecond), got)
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"transaction_id=payment_456", "datafast_visitor_id=v&startAt=2026-05-01T00:00:00Z&endAt=2026-05-19T23:59:59Z", "start=2026-01-01&end=2026-02-01",
		"", "&", "tx_id", "tx_id=", "tx_id=a&tx_id=b", "tx%5Fid=a&tx_id=b", "tx_id=%zz", "tx_id=%ff", "tx_id=a;b", "tx_id=a+b", "tx_id=a=b", "startAt=2026-05-01+02:00&endAt=2026-05-02",
		"websiteId=64f1c0ffee5b2a0012ab34cd&tx_id=a,b", "txid=a", "tx_id[]=a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		a := newAPI(t)
		a.deleted = 1
		r := request("DELETE", path, "")
		r.URL.RawQuery = query
		res, body := a.serve(t, r)
		if answered(t, res, body) != "" {
			require.Empty(t, a.deletions)
			return
		}
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		for name, all := range values {
			require.Len(t, all, 1, name)
			require.NotEmpty(t, all[0], name)
		}
		got := a.deletions[0]
		switch transaction := values.Get("transaction_id") + values.Get("tx_id"); {
		case transaction != "":
			require.Equal(t, transaction, *got.TransactionID)
		default:
			require.Nil(t, got.TransactionID)
			require.Equal(t, values.Has("datafast_visitor_id"), got.VisitorID != nil)
			require.Equal(t, values.Has("startAt") || values.Has("start"), !got.Range.From.IsZero())
			require.Equal(t, values.Has("endAt") || values.Has("end"), !got.Range.To.IsZero())
		}
	})
}
