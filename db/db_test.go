package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/model"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// now is the time at which the tests happen.
var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// bundle is a store on a fresh database with one website.
type bundle struct {
	*db.Store
	t    *testing.T
	site model.Website
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Store: dbtest.NewStore(t, db.Options{}), t: t}
	b.site = b.website("USD")
	return b
}

func (b *bundle) website(currency model.Currency) model.Website {
	site, err := b.CreateWebsite(context.Background(), model.Website{
		Domain: "shop.example", Name: "Shop", Timezone: "UTC", Currency: currency, CreatedAt: now,
	})
	require.NoError(b.t, err)
	return site
}

// record records a payment and answers what became of it.
func (b *bundle) record(in model.RecordPaymentInput) (*model.RecordPaymentPayload, error) {
	p, err := in.Validate(b.site, now)
	if err != nil {
		return nil, err
	}
	return b.RecordPayment(context.Background(), b.site, &p)
}

func ptr[T any](v T) *T { return &v }

func TestStore_RecordPayment(t *testing.T) {
	t.Parallel()
	t.Run("replay returns the first payment", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		in := model.RecordPaymentInput{TransactionID: "t1", Amount: "29.99", Currency: "USD", VisitorID: ptr("v1"), CustomerID: ptr("c"), Email: ptr("A@b.example")}
		first, err := b.record(in)
		require.NoError(t, err)
		require.Equal(t, model.OutcomeRecorded, first.Outcome)
		second, err := b.record(in)
		require.NoError(t, err)
		require.Equal(t, model.OutcomeDuplicate, second.Outcome)
		require.Equal(t, first.Payment.ID, second.Payment.ID)
		require.Empty(t, second.Differences)
		in.Amount = "30"
		third, err := b.record(in)
		require.NoError(t, err)
		require.Equal(t, []string{"amount"}, third.Differences)
	})
	t.Run("refunds", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		refund := model.RecordPaymentInput{TransactionID: "r1", Amount: "10", Currency: "USD", Refunded: ptr(true), RefundOf: ptr("t1")}
		_, err := b.record(refund)
		require.NoError(t, err)
		_, err = b.record(model.RecordPaymentInput{TransactionID: "t1", Amount: "15", Currency: "USD", VisitorID: ptr("v1"), Email: ptr("a@b.c")})
		require.NoError(t, err)
		view := model.RecordVisitInput{VisitorID: "v1", URL: "https://shop.example/?utm_source=x", Referrer: ptr("https://google.com/")}
		v, err := view.Validate(b.site, now, nil)
		require.NoError(t, err)
		_, err = b.RecordVisit(context.Background(), b.site, v, now)
		require.NoError(t, err)
		list, err := b.Payments(context.Background(), b.site, model.PaymentQuery{}, nil, nil)
		require.NoError(t, err)
		require.Len(t, list.Edges, 2)
		for _, e := range list.Edges {
			require.Equal(t, "v1", *e.Node.VisitorID)
			require.NotEqual(t, model.BasisNone, e.Node.Attribution())
		}
		refund.TransactionID = "r2"
		_, err = b.record(refund)
		require.Equal(t, model.CodeRefundExceedsCharge, model.AsError(err).Code)
		q, err := (*model.VisitorRevenueFilter)(nil).Validate(b.site, nil, nil)
		require.NoError(t, err)
		q.Page, _ = model.NewPage(ptr(1), nil, q.Order.String())
		rv, err := b.RevenueByVisitor(context.Background(), b.site, q)
		require.NoError(t, err)
		require.Equal(t, model.Decimal("5.00"), rv.Edges[0].Node.Revenue.Net.Amount())
		d, err := b.DeletePayments(context.Background(), b.site, "tok", model.Deletion{VisitorID: ptr("v1")}, now)
		require.NoError(t, err)
		require.Equal(t, 2, d.DeletedCount)
	})
	t.Run("customer becomes known", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.record(model.RecordPaymentInput{TransactionID: "t1", Amount: "10", Currency: "USD", CustomerID: ptr("c1"), Email: ptr("a@b.c")})
		require.NoError(t, err)
		_, err = b.record(model.RecordPaymentInput{TransactionID: "t2", Amount: "10", Currency: "USD", Email: ptr("A@b.c")})
		require.NoError(t, err)
		_, err = b.record(model.RecordPaymentInput{TransactionID: "t3", Amount: "10", Currency: "USD", CustomerID: ptr("c1"), VisitorID: ptr("v")})
		require.NoError(t, err)
		list, err := b.Payments(context.Background(), b.site, model.PaymentQuery{}, nil, nil)
		require.NoError(t, err)
		bases := map[string]model.AttributionBasis{}
		for _, e := range list.Edges {
			require.Equal(t, "v", *e.Node.VisitorID)
			bases[e.Node.TransactionID] = e.Node.Basis
		}
		require.Equal(t, map[string]model.AttributionBasis{"t1": model.BasisCustomerID, "t2": model.BasisEmail, "t3": model.BasisVisitorID}, bases)
		all, err := b.PaymentsOfVisitors(context.Background(), b.site.ID, []string{"v", "w"}, ptr(2), nil)
		require.NoError(t, err)
		require.Len(t, all["v"].Edges, 2)
		next, err := b.PaymentsOfVisitors(context.Background(), b.site.ID, []string{"v", "w"}, ptr(2), all["v"].PageInfo.EndCursor)
		require.NoError(t, err)
		require.Len(t, next["v"].Edges, 1)
		vs, err := b.Visitors(context.Background(), b.site.ID, []string{"v", "w"})
		require.NoError(t, err)
		require.Len(t, vs, 1)
		_, err = b.RevenueOfVisitors(context.Background(), b.site, []string{"v"}, model.Range{})
		require.NoError(t, err)
	})
}
