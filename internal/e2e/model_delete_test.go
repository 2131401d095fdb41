package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// delete deletes by filters of one of the APIs, as each of them means them.
func (m *machine) delete(rt *rapid.T) {
	s := m.shop(rt)
	f := s.drawFilters(rt)
	switch rapid.SampledFrom([]string{"DataFast", "DataFast", "Faurya", "Faurya", "GraphQL"}).Draw(rt, "dialect") {
	case "DataFast":
		s.deleteDataFast(rt, f)
	case "Faurya":
		s.deleteFaurya(rt, f)
	default:
		s.deleteGraphQL(rt, f)
	}
}

// deleteDataFast deletes by a transaction alone, or by a visitor and a range with two ends.
func (s *bookedShop) deleteDataFast(rt *rapid.T, f filters) {
	query := url.Values{}
	spelled := rapid.Bool().Draw(rt, "other spelling")
	if f.id != "" {
		query.Set(either(spelled, "tx_id", "transaction_id"), f.id)
	}
	if f.visitor != "" {
		query.Set("datafast_visitor_id", f.visitor)
	}
	if f.from.text != "" && f.to.text != "" {
		query.Set(either(spelled, "start", "startAt"), f.from.text)
		query.Set(either(spelled, "end", "endAt"), f.to.text)
	} else {
		f.from, f.to = moment{}, moment{}
	}
	got := s.stack.delete(s, "?"+query.Encode(), "")
	if f.id != "" {
		f = filters{id: f.id}
	}
	if f == (filters{}) {
		got.refused(s, http.StatusBadRequest, "missing_filter")
		return
	}
	n := len(s.chosen(f))
	s.books.delete(f.matches)
	if n == 0 && f.id != "" {
		got.refused(s, http.StatusNotFound, "payment_not_found")
		return
	}
	require.Equal(rt, http.StatusOK, got.status, got.body)
	var answer struct{ Data []struct{ Deleted int } }
	require.NoError(rt, json.Unmarshal([]byte(got.body), &answer))
	require.Equal(rt, n, answer.Data[0].Deleted, "%+v", f)
}

// deleteFaurya deletes what matches all filters. A range that has no end ends now.
func (s *bookedShop) deleteFaurya(rt *rapid.T, f filters) {
	body := map[string]string{}
	spelled := rapid.Bool().Draw(rt, "other spelling")
	for key, value := range map[string]string{
		either(spelled, "tx_id", "transaction_id"): f.id, "faurya_visitor_id": f.visitor,
		either(spelled, "startDate", "startAt"): f.from.text, either(spelled, "endDate", "endAt"): f.to.text,
	} {
		if value != "" {
			body[key] = value
		}
	}
	text, err := json.Marshal(body)
	require.NoError(rt, err)
	got := s.stack.delete(s, "", string(text))
	if f == (filters{}) {
		got.refused(s, http.StatusBadRequest, "missing_filter")
		return
	}
	if f.from.text != "" && f.to.text == "" {
		f.to = moment{"now", s.clock.now(), s.clock.now()}
		if f.from.start.After(f.to.end) {
			got.refused(s, http.StatusBadRequest, "invalid_range")
			return
		}
	}
	n := len(s.chosen(f))
	s.books.delete(f.matches)
	if n == 0 {
		got.refused(s, http.StatusNotFound, "payment_not_found")
		return
	}
	require.Equal(rt, http.StatusOK, got.status, got.body)
	require.Contains(rt, got.body, fmt.Sprintf(`"deleted":%d`, n), "%+v", f)
}

// deleteGraphQL deletes what matches all filters, or only counts it. Its ranges do not include their end.
func (s *bookedShop) deleteGraphQL(rt *rapid.T, f filters) {
	f.to.end = f.to.start
	dryRun := rapid.Bool().Draw(rt, "dry run")
	input := map[string]any{"from": f.from.instant(), "to": f.to.instant(), "dryRun": dryRun}
	for key, value := range map[string]string{"transactionId": f.id, "visitorId": f.visitor} {
		if value != "" {
			input[key] = value
		}
	}
	got := s.graphqlAs(s, s.key, `mutation($input: DeletePaymentsInput!) { deletePayments(input: $input) { deletedCount revenue `+revenueFields+` } }`,
		map[string]any{"input": input})
	var data struct {
		DeletePayments struct {
			DeletedCount int
			Revenue      revenueNode
		}
	}
	text := got.outcome(s, &data, func() string {
		return fmt.Sprint(data.DeletePayments.DeletedCount, " deleted: ", data.DeletePayments.Revenue)
	})
	chosen := s.chosen(f)
	want := fmt.Sprint(len(chosen), " deleted: ", s.books.revenue(chosen))
	switch {
	case f == (filters{}):
		want = "MISSING_FILTER"
	case f.from.text != "" && f.to.text != "" && f.from.start.After(f.to.end):
		want = "INVALID_RANGE from"
	case len(chosen) == 0 && f.id != "":
		want = "PAYMENT_NOT_FOUND transactionId"
	case !dryRun:
		s.books.delete(f.matches)
	}
	require.Equal(rt, want, text, "%+v", f)
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
