package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
)

// limited is a stack whose account may record so many events a month.
func limited(t *testing.T, events int64) *stack {
	t.Helper()
	s := start(t, options{Database: db.Options{Remember: time.Second}})
	require.NoError(t, s.store.LimitAccount(t.Context(), s.site.AccountID, events))
	return s
}

// The ways in which one event, numbered i, can be recorded: each answers whether it was, or refused for the limit.
var recordings = map[string]func(t testing.TB, s *stack, i int) (recorded bool){
	"REST": func(t testing.TB, s *stack, i int) bool {
		return s.withinLimit(t, payments, payment("transaction_id", fmt.Sprintf(`"rest-%d"`, i)))
	},
	"events: a pageview": func(t testing.TB, s *stack, i int) bool {
		return s.withinLimit(t, "/api/events", fmt.Sprintf(`{"websiteId":%q,"visitorId":"v%d","sessionId":"s%d","type":"pageview","href":"https://shop.example/"}`, s.site.TrackingID, i, i))
	},
	"events: a custom one": func(t testing.TB, s *stack, i int) bool {
		return s.withinLimit(t, "/api/events", fmt.Sprintf(
			`{"websiteId":%q,"visitorId":"c","sessionId":"c","type":"custom","href":"https://shop.example/","extraData":{"eventName":"e%d"}}`, s.site.TrackingID, i))
	},
	"recordPayment": func(t testing.TB, s *stack, i int) bool {
		code := s.faultOf(t, fmt.Sprintf(`mutation { recordPayment(input: {transactionId: "single-%d", amount: 1, currency: "USD"}) { outcome } }`, i), nil)
		return isWithinLimit(t, code)
	},
	"recordPayments": func(t testing.TB, s *stack, i int) bool {
		var got struct {
			RecordPayments struct {
				Results []struct{ Error *struct{ Code string } }
			}
		}
		s.graphql(t, fmt.Sprintf(`mutation { recordPayments(input: {payments: [{transactionId: "many-%d", amount: 1, currency: "USD"}]}) { results { error { code } } } }`, i), nil, &got)
		if fault := got.RecordPayments.Results[0].Error; fault != nil {
			return isWithinLimit(t, fault.Code)
		}
		return true
	},
	"recordVisit": func(t testing.TB, s *stack, i int) bool {
		code := s.faultOf(t, fmt.Sprintf(`mutation { recordVisit(input: {visitorId: "w%d", url: "https://shop.example/"}) { visitor { id } } }`, i), nil)
		return isWithinLimit(t, code)
	},
}

func isWithinLimit(t testing.TB, code string) bool {
	if code != "" {
		require.Equal(t, "EVENT_LIMIT_REACHED", code)
	}
	return code == ""
}

// withinLimit posts something, which must be recorded or refused as documented.
func (s *stack) withinLimit(t testing.TB, path, body string) bool {
	t.Helper()
	got := s.do(t, s.request(t, http.MethodPost, path, body))
	if got.status == http.StatusOK {
		return true
	}
	require.Equal(t, "Account event limit reached", got.refused(t, http.StatusTooManyRequests, "event_limit_reached").Message)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	return false
}

// faultOf is the code of a mutation's error; "" if it has none.
func (s *stack) faultOf(t testing.TB, query string, variables map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(s.request(t, http.MethodPost, "/graphql", string(body)))
	require.NoError(t, err)
	var answer struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	require.NoError(t, json.Unmarshal([]byte(received(t, res).body), &answer))
	if len(answer.Errors) == 0 {
		return ""
	}
	return answer.Errors[0].Extensions.Code
}

func (s *stack) recordedEvents(t testing.TB) int {
	t.Helper()
	return s.count(t, "payments") + s.count(t, "visits") + s.count(t, "events")
}

func TestEventLimit_everyWay(t *testing.T) {
	t.Parallel()

	for name, record := range recordings {
		t.Run("stops "+name, func(t *testing.T) {
			t.Parallel()
			s := limited(t, 2)
			require.True(t, record(t, s, 1))
			require.True(t, record(t, s, 2))
			require.False(t, record(t, s, 3))
			require.Equal(t, 2, 2*s.count(t, "account_usage WHERE events = 2"), "what is refused does not count")
			s.clock.forward(31 * 24 * time.Hour)
			require.True(t, record(t, s, 4), "in the next month it begins anew")
		})
	}

	t.Run("says when the next month begins", func(t *testing.T) {
		t.Parallel()
		s := limited(t, 1)
		s.posted(t, payment("", ""))
		got := s.post(t, payment("transaction_id", `"t2"`))
		got.refused(t, http.StatusTooManyRequests, "event_limit_reached")
		require.Equal(t, fmt.Sprint(int(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).Sub(noon).Seconds())), got.header.Get("Retry-After"))
	})

	t.Run("is reached exactly by all ways at once", func(t *testing.T) {
		t.Parallel()
		const limit, each = 30, 12
		s := limited(t, limit)
		var results []func() bool
		for _, record := range recordings {
			for i := range each {
				results = append(results, meanwhile(func() bool { return record(t, s, i) }))
			}
		}
		n := 0
		for _, recorded := range results {
			if recorded() {
				n++
			}
		}
		require.Equal(t, limit, n)
		require.Equal(t, 1, s.count(t, "account_usage WHERE events = $1", limit))
		require.Equal(t, n, s.recordedEvents(t))
	})
}
