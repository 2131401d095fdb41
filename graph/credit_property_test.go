package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

// TestCredit_property records visits and payments at random, and asks at random for revenue by dimension and
// by filters. All that the server tells is what books in memory tell, and adds up to the minor unit.
func TestCredit_property(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	// Some payments in euros are converted. Those of 90 days ago, and all in yen, have no rate.
	for _, days := range []int{0, 7, 300} {
		shared.imports(today.AddDate(0, 0, -days).Format(time.DateOnly), map[model.Currency]model.Decimal{"USD": "0.9337"})
	}
	rapid.Check(t, func(rt *rapid.T) {
		b := shared.another(t)
		k := &creditBooks{}
		b.bookVisits(rt, k)
		b.bookEntries(rt, k)
		for range 3 {
			q := drawCreditQuery(rt)
			credits := inside(k.credits(q.model, time.Duration(q.windowDays)*24*time.Hour), q.in)
			b.checkGroups(rt, k, credits, q)
			b.checkFilter(rt, k, credits, q)
		}
	})
}

// creditQuery is what is asked.
type creditQuery struct {
	dimension  model.Dimension
	model      model.AttributionModel
	windowDays int
	in         model.Range
	span       vars // in as a client writes it
}

// checkGroups asks for the groups, page by page.
func (b *bundle) checkGroups(rt *rapid.T, k *creditBooks, credits []credit, q creditQuery) {
	v := vars{"dimension": q.dimension, "model": q.model, "windowDays": q.windowDays, "range": q.span, "first": rapid.IntRange(1, 4).Draw(rt, "first")}
	var got []string
	added := amounts{}
	for more := true; more; {
		page := b.ask(revenueBy, v)
		for _, edge := range page.at("revenueBy.edges").([]any) {
			g := node{node{edge}.at("node")}
			added.add(g.at("revenue"))
			got = append(got, fmt.Sprintf("%q: %v visitors, %v payers, %v, %v, %v, %s", g.at("key"), g.at("visitors"), g.at("payers"),
				g.at("share"), g.at("revenuePerVisitor.amount"), g.at("conversionRate"), revenueTextOf(g.at("revenue"))))
		}
		require.LessOrEqual(rt, len(got), 100, "the pages do not end")
		more, v["after"] = page.at("revenueBy.pageInfo.hasNextPage").(bool), page.at("revenueBy.pageInfo.endCursor")
		if more {
			continue
		}
		unattributed := slices.DeleteFunc(slices.Clone(credits), func(c credit) bool { return c.visit != nil })
		require.Equal(rt, revenueText(sum(unattributed)), revenueTextOf(page.at("revenueBy.unattributed")))
		require.Equal(rt, revenueText(sum(credits)), revenueTextOf(page.at("revenue")))
		added.add(page.at("revenueBy.unattributed"))
		total := amounts{}
		total.add(page.at("revenue"))
		require.Equal(rt, total, added, "the groups and what is unattributed add up to the revenue")
	}
	require.Equal(rt, k.groups(credits, q.dimension, q.in), append([]string{}, got...))
}

const filtered = `query ($range: TimeRange!, $revenue: RevenueFilter, $visitors: VisitorRevenueFilter, $payments: PaymentFilter) {
	revenue(range: $range, filter: $revenue) ` + revenueFields + `
	revenueOverTime(range: $range, interval: MONTH, filter: $revenue) { revenue ` + revenueFields + ` }
	revenueByVisitor(range: $range, filter: $visitors, first: 100) { edges { node { visitor { id } revenue ` + revenueFields + ` } } }
	payments(filter: $payments, first: 100) { edges { node { transactionId } } }
}`

// checkFilter asks for what is credited to visits that are as one of them is, or as none is.
func (b *bundle) checkFilter(rt *rapid.T, k *creditBooks, credits []credit, q creditQuery) {
	if len(k.visits) == 0 {
		return
	}
	like := rapid.SampledFrom(k.visits).Draw(rt, "like")
	dimensions := append(rapid.SliceOfN(rapid.SampledFrom(model.Dimensions), 0, 2).Draw(rt, "dimensions"), q.dimension)
	filter := vars{"model": q.model, "windowDays": q.windowDays}
	for _, d := range dimensions {
		filter[filterFields[d]] = like.keys[d]
	}
	matching := slices.DeleteFunc(slices.Clone(credits), func(c credit) bool {
		return c.visit == nil || slices.ContainsFunc(dimensions, func(d model.Dimension) bool { return c.visit.keys[d] != like.keys[d] })
	})
	payments := vars{"range": q.span}
	for name, value := range filter {
		payments[name] = value
	}
	got := b.ask(filtered, vars{"range": q.span, "revenue": filter, "visitors": filter, "payments": payments})

	require.Equal(rt, revenueText(sum(matching)), revenueTextOf(got.at("revenue")))
	total, overTime, byVisitor := amounts{}, amounts{}, amounts{}
	total.add(got.at("revenue"))
	for _, bucket := range got.at("revenueOverTime").([]any) {
		overTime.add(node{bucket}.at("revenue"))
	}
	require.Equal(rt, total, overTime, "the intervals add up")
	ofVisitor, ids := map[string][]credit{}, []string{}
	for _, c := range matching {
		ofVisitor[c.entry.visitor] = append(ofVisitor[c.entry.visitor], c)
		ids = append(ids, c.entry.id)
	}
	for _, edge := range got.at("revenueByVisitor.edges").([]any) {
		n := node{node{edge}.at("node")}
		byVisitor.add(n.at("revenue"))
		id := n.at("visitor.id").(string)
		require.Equal(rt, revenueText(sum(ofVisitor[id])), revenueTextOf(n.at("revenue")), id)
		delete(ofVisitor, id)
	}
	require.Empty(rt, ofVisitor, "every visitor with credit is there")
	require.Equal(rt, total, byVisitor, "the visitors add up")
	listed := []string{}
	for _, id := range got.each("payments.edges", "node.transactionId") {
		listed = append(listed, id.(string))
	}
	slices.Sort(ids)
	require.ElementsMatch(rt, slices.Compact(ids), listed, "the payments of which something is credited")
}

// amounts are sums of money by the path of their field; those of zero are left out.
type amounts map[string]model.Sum

func (a amounts) add(revenue any) {
	r := node{revenue}
	for _, name := range []string{"gross", "refunded", "net", "new", "renewal"} {
		a.addAt(name, r.at(name+".amount"), "USD")
	}
	for _, each := range r.at("byCurrency").([]any) {
		c := node{each}
		for _, name := range []string{"gross", "refunded", "net"} {
			a.addAt(fmt.Sprint(c.at("currency"), ".", name), c.at(name+".amount"), c.at("currency"))
		}
	}
	for _, each := range r.at("unconverted").([]any) {
		a.addAt(fmt.Sprint("unconverted ", node{each}.at("currency")), node{each}.at("amount"), node{each}.at("currency"))
	}
}

func (a amounts) addAt(path string, amount, currency any) {
	part, err := model.ParseSum(strings.ReplaceAll(amount.(string), ".", ""), model.Currency(currency.(string)))
	if err != nil {
		panic(err)
	}
	if a[path] = a[path].Add(part); a[path].Sign() == 0 {
		delete(a, path)
	}
}

// filterFields are the fields of filters by the dimension that they are about.
var filterFields = map[model.Dimension]string{
	model.DimensionSource: "source", model.DimensionChannel: "channel", model.DimensionReferrer: "referrer",
	model.DimensionUtmSource: "utmSource", model.DimensionUtmMedium: "utmMedium", model.DimensionUtmCampaign: "utmCampaign",
	model.DimensionUtmTerm: "utmTerm", model.DimensionUtmContent: "utmContent", model.DimensionLandingPage: "landingPage",
	model.DimensionCountry: "country", model.DimensionDevice: "device", model.DimensionBrowser: "browser", model.DimensionOS: "os",
}

// inside are the credits of entries that occurred in a range.
func inside(credits []credit, in model.Range) []credit {
	return slices.DeleteFunc(credits, func(c credit) bool { return !within(c.entry.at, in) })
}

// drawTime draws one of few times, so that visits and payments often meet, also at the ends of windows.
func drawTime(rt *rapid.T, label string) time.Time {
	return today.Add(-time.Duration(rapid.SampledFrom([]int{0, 1, 7, 12, 13, 24, 48, 168, 169, 24 * 90, 24*90 + 1, 24 * 300}).Draw(rt, label)) * time.Hour)
}

func drawCreditQuery(rt *rapid.T) creditQuery {
	q := creditQuery{
		dimension:  rapid.SampledFrom(model.Dimensions).Draw(rt, "dimension"),
		model:      rapid.SampledFrom(model.AttributionModels).Draw(rt, "model"),
		windowDays: rapid.SampledFrom([]int{1, 7, 90, 365}).Draw(rt, "windowDays"),
		span:       vars{},
	}
	from, to := drawTime(rt, "from"), drawTime(rt, "to").Add(time.Hour)
	if to.Before(from) {
		from, to = to, from
	}
	if rapid.Bool().Draw(rt, "with a start") {
		q.in.From, q.span["from"] = from, from
	}
	if rapid.Bool().Draw(rt, "with an end") {
		q.in.To, q.span["to"] = to, to
	}
	return q
}

// bookVisits records some visits of few visitors.
func (b *bundle) bookVisits(rt *rapid.T, k *creditBooks) {
	for i := range rapid.IntRange(0, 12).Draw(rt, "visits") {
		at := model.AtTime(drawTime(rt, "visit at"))
		in := model.RecordVisitInput{
			VisitorID: rapid.SampledFrom([]string{"a", "a", "b"}).Draw(rt, "visitor"), SessionID: pointer(fmt.Sprint("s", i)), OccurredAt: &at,
			URL:      rapid.SampledFrom([]string{"https://shop.example/", "https://shop.example/pricing?utm_source=news&utm_campaign=spring", "https://docs.shop.example?gclid=1"}).Draw(rt, "url"),
			Referrer: rapid.SampledFrom([]*string{nil, nil, pointer("https://www.google.de/"), pointer("https://checkout.stripe.com/")}).Draw(rt, "referrer"),
			Country:  rapid.SampledFrom([]*string{nil, pointer("DE"), pointer("FR")}).Draw(rt, "country"),
		}
		if rapid.Bool().Draw(rt, "with a User-Agent") {
			in.UserAgent = pointer("any")
		}
		view, err := in.Validate(b.site, today, func(string) model.Client { return model.Client{Device: "mobile", OS: "Android"} })
		require.NoError(rt, err)
		payload, err := b.store.RecordVisit(b.t.Context(), b.site, view, today)
		require.NoError(rt, err)
		if payload.Visit.Pageviews > 1 {
			continue // back from the checkout
		}
		k.visits = append(k.visits, bookedVisit{visitor: view.VisitorID, at: view.StartedAt, keys: map[model.Dimension]string{
			model.DimensionSource: view.Source, model.DimensionChannel: string(view.Channel), model.DimensionReferrer: view.ReferrerHost,
			model.DimensionUtmSource: view.Campaign.Source, model.DimensionUtmMedium: view.Campaign.Medium, model.DimensionUtmCampaign: view.Campaign.Name,
			model.DimensionUtmTerm: view.Campaign.Term, model.DimensionUtmContent: view.Campaign.Content, model.DimensionLandingPage: view.LandingPath,
			model.DimensionCountry: value(view.Country), model.DimensionDevice: value(view.Device), model.DimensionBrowser: value(view.Browser), model.DimensionOS: value(view.OS),
		}})
	}
}

// bookEntries records some payments, and notes to whom the server credits them and what it converts them to.
func (b *bundle) bookEntries(rt *rapid.T, k *creditBooks) {
	n := rapid.IntRange(0, 10).Draw(rt, "payments")
	var payments []*model.NewPayment
	for i := range n {
		at := model.AtTime(drawTime(rt, "paid at"))
		in := model.RecordPaymentInput{
			TransactionID: fmt.Sprint("t", i), OccurredAt: &at,
			Amount:    rapid.SampledFrom([]model.Decimal{"1.00", "3", "7", "90071992547409", "0"}).Draw(rt, "amount"),
			Currency:  rapid.SampledFrom([]model.Currency{"USD", "EUR", "JPY"}).Draw(rt, "currency"),
			VisitorID: rapid.SampledFrom([]*string{nil, pointer("a"), pointer("a"), pointer("b"), pointer("unseen")}).Draw(rt, "payer"),
			Renewal:   pointer(rapid.Bool().Draw(rt, "renewal")),
		}
		if i > 0 && rapid.Bool().Draw(rt, "refund") {
			of := rapid.IntRange(0, n/2).Draw(rt, "refund of")
			at = model.AtTime(today.Add(-time.Duration(rapid.IntRange(0, 1).Draw(rt, "refunded at")) * time.Hour)) // often at once
			in.Refunded, in.RefundOf = pointer(true), pointer(fmt.Sprint("t", of))
			in.Amount = rapid.SampledFrom([]model.Decimal{"0.01", "0.05", "0.94", "1"}).Draw(rt, "refunded")
			if of < i {
				in.Currency = payments[of].Amount.Currency
			}
			if in.Currency == "JPY" {
				in.Amount = "1"
			}
		}
		p, err := in.Validate(b.site, today)
		require.NoError(rt, err)
		payments = append(payments, &p)
	}
	results, err := b.store.RecordPayments(b.t.Context(), b.site, payments)
	require.NoError(rt, err)
	visitors := map[string]string{}
	got := b.ask(`{ payments(first: 100) { edges { node { transactionId visitorId } } } }`, nil)
	for _, edge := range got.at("payments.edges").([]any) {
		if visitor, ok := (node{edge}).at("node.visitorId").(string); ok {
			visitors[node{edge}.at("node.transactionId").(string)] = visitor
		}
	}
	for i, result := range results {
		if result.Error != nil {
			continue // a refund of more than the charge, or in another currency
		}
		p := payments[i]
		k.entries = append(k.entries, bookedEntry{
			id: p.TransactionID, charge: p.ChargeID(), kind: p.Kind, visitor: visitors[p.TransactionID], at: p.OccurredAt, amount: p.Amount, reporting: result.Payload.Payment.Reporting,
		})
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func pointer[T any](v T) *T { return &v }
