package demo

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// TestNewPlan looks at the plans of many days, since the first start can be on any.
func TestNewPlan(t *testing.T) {
	t.Parallel()
	site := model.Website{Domain: Domain, Timezone: "UTC", Currency: "USD"}
	parse := func(string) model.Client { return model.Client{} }
	first := time.Date(2026, 2, 27, 23, 59, 0, 0, time.UTC)
	for n := range 60 {
		now := first.AddDate(0, 0, 7*n+n)
		end := now.Truncate(24 * time.Hour)
		p := newPlan(now)
		require.InDelta(t, 900, countSessions(p), 150, now)
		require.InDelta(t, 400, len(p.payments), 75, now)

		for _, journey := range p.journeys {
			at := time.Time{}
			for _, in := range journey {
				view, err := in.Validate(site, now, parse)
				require.NoError(t, err)
				require.True(t, view.StartedAt.After(at) && view.StartedAt.Before(end), "pageviews are in order and before the end")
				at = view.StartedAt
			}
		}

		for _, id := range exampleVisitors(t) {
			require.True(t, slices.ContainsFunc(p.journeys, func(j []model.RecordVisitInput) bool { return j[0].VisitorID == id }), "%s on %s", id, now)
			require.True(t, slices.ContainsFunc(p.payments, func(in model.RecordPaymentInput) bool { return in.VisitorID != nil && *in.VisitorID == id }), "%s on %s", id, now)
		}

		ledger, earliest := model.NewLedger(nil, map[model.CustomerKey]string{}, map[string]bool{}), end
		for _, in := range p.payments {
			payment, err := in.Validate(site, now)
			require.NoError(t, err)
			require.True(t, payment.OccurredAt.Before(end), "payments are before the end")
			require.True(t, in.Email == nil || strings.HasSuffix(*in.Email, "@example.com"))
			if payment.OccurredAt.Before(earliest) {
				earliest = payment.OccurredAt
			}
			recorded, err := ledger.Record(&payment)
			require.NoError(t, err, in.TransactionID)
			require.NotEqual(t, model.OutcomeDuplicate, recorded.Outcome, in.TransactionID)
		}
		require.Less(t, end.Sub(earliest), (days+2)*day)
		require.Greater(t, end.Sub(earliest), 90*day)
	}
}

// exampleVisitors are the visitors that the operations ask about.
func exampleVisitors(t *testing.T) []string {
	t.Helper()
	ids := map[string]bool{}
	for _, op := range Operations() {
		for _, id := range regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).FindAllString(op.Variables, -1) {
			ids[id] = true
		}
	}
	require.Len(t, ids, 2)
	return slices.Sorted(maps.Keys(ids))
}

func countSessions(p plan) int {
	sessions := map[string]bool{}
	for _, journey := range p.journeys {
		for _, view := range journey {
			sessions[*view.SessionID] = true
		}
	}
	return len(sessions)
}
