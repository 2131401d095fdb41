package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// In Berlin clocks went from 02:00 +01:00 to 03:00 +02:00 on the 29th of March 2026, and from 03:00
// +02:00 back to 02:00 +01:00 on the 26th of October 2025.
func TestDeletePayments_rangesInBerlin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payments   string // their times
		start, end string // of the range, as in a query string
		gone       string // the payments that are in it
		shown      string // the range in the answer
	}{
		"a day in winter": {
			"2025-12-31T22:59:59.999999Z 2025-12-31T23:00:00Z 2026-01-01T22:59:59.999999Z 2026-01-01T23:00:00Z",
			"2026-01-01", "2026-01-01",
			"2025-12-31T23:00:00Z 2026-01-01T22:59:59.999999Z",
			`{"start":"2025-12-31T23:00:00.000Z","end":"2026-01-01T22:59:59.000Z"}`,
		},
		"a day of 23 hours": {
			"2026-03-28T22:59:59Z 2026-03-28T23:00:00Z 2026-03-29T21:59:59Z 2026-03-29T22:00:00Z",
			"2026-03-29", "2026-03-29",
			"2026-03-28T23:00:00Z 2026-03-29T21:59:59Z",
			`{"start":"2026-03-28T23:00:00.000Z","end":"2026-03-29T21:59:59.000Z"}`,
		},
		"a day of 25 hours": {
			"2025-10-25T21:59:59Z 2025-10-25T22:00:00Z 2025-10-26T22:59:59Z 2025-10-26T23:00:00Z",
			"2025-10-26", "2025-10-26",
			"2025-10-25T22:00:00Z 2025-10-26T22:59:59Z",
			`{"start":"2025-10-25T22:00:00.000Z","end":"2025-10-26T22:59:59.000Z"}`,
		},
		"local times on both sides of a change": {
			"2026-03-29T00:59:59Z 2026-03-29T00:30:00Z 2026-03-29T01:30:59.5Z 2026-03-29T01:31:00Z",
			"2026-03-29T01:30:00", "2026-03-29T03:30",
			"2026-03-29T00:30:00Z 2026-03-29T00:59:59Z 2026-03-29T01:30:59.5Z",
			`{"start":"2026-03-29T00:30:00.000Z","end":"2026-03-29T01:30:59.000Z"}`,
		},
		"an end to the second": {
			"2026-05-01T10:00:00.999999Z 2026-05-01T10:00:01Z",
			"2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z",
			"2026-05-01T10:00:00.999999Z",
			`{"start":"2026-05-01T10:00:00.000Z","end":"2026-05-01T10:00:00.000Z"}`,
		},
		"an end to the minute": {
			"2026-05-01T10:00:59Z 2026-05-01T10:01:00Z",
			"2026-05-01T10:00Z", "2026-05-01T10:00Z",
			"2026-05-01T10:00:59Z",
			`{"start":"2026-05-01T10:00:00.000Z","end":"2026-05-01T10:00:59.000Z"}`,
		},
		"an end to the millisecond": {
			"2026-05-01T10:00:00.999999Z 2026-05-01T10:00:01Z",
			"2026-05-01T10:00:00.000Z", "2026-05-01T10:00:00.999Z",
			"2026-05-01T10:00:00.999999Z",
			`{"start":"2026-05-01T10:00:00.000Z","end":"2026-05-01T10:00:00.999Z"}`,
		},
		"an escaped offset": {
			"2026-05-01T07:59:59Z 2026-05-01T08:00:00Z 2026-05-01T08:00:01Z",
			"2026-05-01T10:00:00%2B02:00", "2026-05-01T04:00:00-0400",
			"2026-05-01T08:00:00Z",
			`{"start":"2026-05-01T08:00:00.000Z","end":"2026-05-01T08:00:00.000Z"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, dialect := range []string{"DataFast", "Faurya"} {
				s := start(t, options{Timezone: "Europe/Berlin"})
				for _, at := range strings.Fields(c.payments) {
					s.posted(t, fmt.Sprintf(`{"amount":1,"currency":"USD","transaction_id":%q,"timestamp":%q}`, at, at))
				}
				var got answer
				if dialect == "DataFast" {
					got = s.delete(t, "?startAt="+c.start+"&endAt="+c.end, "")
				} else {
					plain := strings.NewReplacer("%2B", "+")
					got = s.delete(t, "", fmt.Sprintf(`{"startDate":%q,"endDate":%q}`, plain.Replace(c.start), plain.Replace(c.end)))
				}
				require.Equal(t, http.StatusOK, got.status, got.body)
				require.Contains(t, got.body, `"timeRange":`+c.shown, dialect)
				left := slices.DeleteFunc(strings.Fields(c.payments), func(id string) bool { return slices.Contains(strings.Fields(c.gone), id) })
				require.ElementsMatch(t, left, s.ids(t), dialect)
			}
		})
	}
}

// ids are the transaction ids of all payments.
func (s *stack) ids(t testing.TB) []string {
	t.Helper()
	rows, err := s.sql.QueryContext(t.Context(), "SELECT transaction_id FROM payments")
	require.NoError(t, err)
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	return ids
}
