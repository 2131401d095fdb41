package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const revenueFields = `{ gross { amount currency } refunded { amount currency } net { amount currency } new { amount currency } renewal { amount currency }
	charges renewals refunds freeTrials byCurrency { currency gross { amount } refunded { amount } net { amount } } unconverted { amount currency } }`

type amountNode struct{ Amount, Currency string }

func (m amountNode) String() string { return m.Amount + " " + m.Currency }

// revenueNode is revenue as the server tells it.
type revenueNode struct {
	Gross, Refunded, Net, New, Renewal     amountNode
	Charges, Renewals, Refunds, FreeTrials int
	ByCurrency                             []struct {
		Currency             string
		Gross, Refunded, Net amountNode
	}
	Unconverted []amountNode
}

// String writes it as books do.
func (r revenueNode) String() string {
	var text strings.Builder
	for _, sum := range []amountNode{r.Gross, r.Refunded, r.Net, r.New, r.Renewal} {
		fmt.Fprint(&text, sum, ", ")
	}
	fmt.Fprintf(&text, "%d charges, %d renewals, %d refunds, %d trials", r.Charges, r.Renewals, r.Refunds, r.FreeTrials)
	for _, c := range r.ByCurrency {
		fmt.Fprint(&text, ", ", c.Currency, " ", c.Gross.Amount, "-", c.Refunded.Amount, "=", c.Net.Amount)
	}
	for _, sum := range r.Unconverted {
		fmt.Fprint(&text, ", unconverted ", sum)
	}
	return text.String()
}

// visitorsNode is a list of what visitors brought.
type visitorsNode struct {
	Edges []struct {
		Node struct {
			Visitor struct {
				ID   string
				Seen bool
			}
			Revenue                       revenueNode
			FirstPaymentAt, LastPaymentAt time.Time
		}
	}
}

const everything = `query($range: TimeRange!, $interval: Interval!) {
	revenue ` + revenueFields + `
	inRange: revenue(range: $range) ` + revenueFields + `
	revenueOverTime(range: $range, interval: $interval) { start date revenue ` + revenueFields + ` }
	revenueByVisitor(first: 6) { edges { node { visitor { id seen } revenue ` + revenueFields + ` firstPaymentAt lastPaymentAt } } }
	visitorsInRange: revenueByVisitor(range: $range, first: 6) { edges { node { visitor { id seen } revenue ` + revenueFields + ` firstPaymentAt lastPaymentAt } } }
	payments(first: 20) { edges { node { transactionId kind renewal amount { amount currency } reportingAmount { amount currency } occurredAt visitorId attribution } } }
	some: payments(filter: {range: $range, attributed: true}, first: 20) { edges { node { transactionId kind } } }
}`

// check asks for all that there is to be told of the website.
func (s *bookedShop) check(rt *rapid.T) {
	from, to := s.drawMoment(rt, "asked from", timeOfRange), s.drawMoment(rt, "asked to", timeOfRange)
	interval := rapid.SampledFrom([]string{"HOUR", "DAY", "WEEK", "MONTH"}).Draw(rt, "interval")
	if from.text != "" && to.text != "" && to.start.Before(from.start) {
		from, to = to, from
	}
	var data struct {
		Revenue, InRange revenueNode
		RevenueOverTime  []struct {
			Start   time.Time
			Date    string
			Revenue revenueNode
		}
		RevenueByVisitor, VisitorsInRange visitorsNode
		Payments                          struct {
			Edges []struct {
				Node struct {
					TransactionID, Kind string
					Renewal             bool
					Amount              amountNode
					ReportingAmount     *amountNode
					OccurredAt          time.Time
					VisitorID           string
					Attribution         string
				}
			}
		}
		Some struct {
			Edges []struct {
				Node struct{ TransactionID, Kind string }
			}
		}
	}
	s.graphql(s, everything, map[string]any{"range": map[string]any{"from": from.instant(), "to": to.instant()}, "interval": interval}, &data)

	all := s.books.entries()
	some := within(all, from.start, to.start)
	require.Equal(rt, s.books.revenue(all), data.Revenue.String())
	require.Equal(rt, s.books.revenue(some), data.InRange.String(), "from %s to %s", from.text, to.text)
	s.checkVisitors(rt, all, data.RevenueByVisitor)
	s.checkVisitors(rt, some, data.VisitorsInRange)

	var got, want []string
	for _, bucket := range data.RevenueOverTime {
		began := bucket.Date
		if interval == "HOUR" { // those of a day are not told apart by their date
			began = bucket.Start.UTC().Format(fullHour) + began
		}
		if text := bucket.Revenue.String(); text != s.books.revenue(nil) {
			got = append(got, began+": "+text)
		}
	}
	for began, entries := range grouped(some, s.books.began(interval)) {
		want = append(want, began+": "+s.books.revenue(entries))
	}
	slices.Sort(want)
	require.Equal(rt, want, got, "by %s", interval)

	got, want = nil, nil
	for i, edge := range data.Payments.Edges {
		p := edge.Node
		if e := s.books.find(p.TransactionID, p.Kind == "REFUND"); e != nil && s.books.says(e, p.Attribution) {
			p.Attribution = e.basis
		}
		got = append(got, fmt.Sprintln(p.TransactionID, p.Kind, p.Renewal, p.Amount, p.ReportingAmount, p.OccurredAt.UTC(), p.VisitorID, p.Attribution))
		require.False(rt, i > 0 && p.OccurredAt.After(data.Payments.Edges[i-1].Node.OccurredAt), "latest first")
	}
	for _, e := range all {
		var reporting *amountNode
		if worth := s.books.reporting(e); worth != nil {
			reporting = &amountNode{major(*worth, s.books.currency), s.books.currency}
		}
		want = append(want, fmt.Sprintln(e.id, e.kind, e.renewal, amountNode{major(e.minor, e.currency), e.currency}, reporting, e.at.UTC(), e.owner, e.basis))
	}
	requireSame(rt, want, got, "the payments")

	got, want = nil, nil
	for _, edge := range data.Some.Edges {
		got = append(got, edge.Node.TransactionID+edge.Node.Kind)
	}
	for _, e := range some {
		if e.basis != "NONE" {
			want = append(want, e.id+e.kind)
		}
	}
	requireSame(rt, want, got, "the attributed ones")
}

// requireSame compares lists in any order.
func requireSame(rt *rapid.T, want, got []string, about string) {
	slices.Sort(want)
	slices.Sort(got)
	require.Equal(rt, strings.Join(want, ""), strings.Join(got, ""), about)
}

// checkTotals asks for the revenue of all time, and how many payments there are.
func (s *bookedShop) checkTotals(rt *rapid.T) {
	var data struct {
		Revenue  revenueNode
		Payments struct{ Edges []any }
	}
	s.graphql(s, `{ revenue `+revenueFields+` payments { edges { cursor } } }`, nil, &data)
	require.Equal(rt, s.books.revenue(s.books.entries()), data.Revenue.String())
	require.Len(rt, data.Payments.Edges, len(s.books.entries()))
}

func (s *bookedShop) checkVisitors(rt *rapid.T, entries []*paid, listed visitorsNode) {
	var got, want []string
	for _, edge := range listed.Edges {
		v := edge.Node
		got = append(got, fmt.Sprintln(v.Visitor.ID, v.Visitor.Seen, v.Revenue, v.FirstPaymentAt.UTC(), v.LastPaymentAt.UTC()))
	}
	for visitor, own := range grouped(entries, func(e *paid) string { return e.owner }) {
		times := make([]time.Time, len(own))
		for i, e := range own {
			times[i] = e.at.UTC()
		}
		want = append(want, fmt.Sprintln(visitor, s.books.seen(visitor), s.books.revenue(own), slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)))
	}
	requireSame(rt, want, got, "by visitor")
}
