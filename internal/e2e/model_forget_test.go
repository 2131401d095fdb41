package e2e_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// erase has a person forgotten whom one of the ways to know it names, or only counts.
func (m *machine) erase(rt *rapid.T) {
	s := m.shop(rt)
	who := rapid.SampledFrom(people).Draw(rt, "who")
	var named []string
	input := map[string]any{"dryRun": rapid.Bool().Draw(rt, "dry run")}
	for field, ids := range map[string][]string{"visitorId": {who.visitor}, "customerId": who.customers, "email": who.emails} {
		for _, id := range ids {
			named = append(named, field+" "+id)
		}
	}
	slices.Sort(named)
	field, id, _ := strings.Cut(rapid.SampledFrom(named).Draw(rt, "by"), " ")
	input[field] = id

	gone := s.books.person(field[:1] + strings.ToLower(id))
	if gone.leadsOn {
		return
	}
	var data struct {
		ErasePerson struct{ VisitorIDs, CustomerIDs, Emails, Payments, OthersPayments int }
	}
	s.graphql(s, `mutation($input: ErasePersonInput!) { erasePerson(input: $input) { visitorIds customerIds emails payments othersPayments } }`,
		map[string]any{"input": input}, &data)
	counts := map[byte]int{}
	for id := range gone.ids {
		counts[id[0]]++
	}
	want := fmt.Sprint(counts['v'], counts['c'], counts['e'], len(gone.own), len(gone.others))
	got := data.ErasePerson
	require.Equal(rt, want, fmt.Sprint(got.VisitorIDs, got.CustomerIDs, got.Emails, got.Payments, got.OthersPayments), "%v", input)
	if input["dryRun"] == false {
		s.books.erase(gone)
	}
}

// prune has all visits and events end that were kept for so long, once: who stays then, for a payment, is not looked
// at again when that is gone too.
func (m *machine) prune(rt *rapid.T) {
	s := m.shop(rt)
	if s.books.hasPruned {
		return
	}
	_, err := s.store.PruneVisits(s.Context(), s.site, m.noon.AddDate(0, 0, 3))
	require.NoError(rt, err)
	s.books.prune()
}
