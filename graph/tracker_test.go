package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

// TestTracker calls the resolvers as REST does, with nothing but the tracking id of a page.
func TestTracker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.website(model.Website{})
	resolver := &graph.Resolver{Store: b.store, Now: b.now, ParseUserAgent: func(string) model.Client { return model.Client{} }}
	ctx := model.WithPrincipal(t.Context(), &model.Principal{TrackingID: b.site.TrackingID})
	change, ask := resolver.Mutation(), resolver.Query()

	t.Run("records visits and events of its website, whatever it names", func(t *testing.T) {
		visit, err := change.RecordVisit(ctx, model.RecordVisitInput{WebsiteID: &other.ID, VisitorID: "v", URL: "https://shop.example/"})
		require.NoError(t, err)
		require.Equal(t, b.site.ID, visit.Visit.WebsiteID)
		event, err := change.RecordEvent(ctx, model.RecordEventInput{WebsiteID: &other.ID, VisitorID: "v", URL: "https://shop.example/", Type: model.EventCustom, Name: new("n")})
		require.NoError(t, err)
		require.Equal(t, b.site.ID, event.Event.WebsiteID)
	})

	t.Run("may nothing else", func(t *testing.T) {
		for _, site := range []*string{nil, &b.site.ID, &other.ID} {
			for name, call := range map[string]func() error{
				"recordPayment": func() error {
					_, err := change.RecordPayment(ctx, model.RecordPaymentInput{WebsiteID: site, TransactionID: "t", Amount: "1", Currency: "USD"})
					return err
				},
				"recordPayments": func() error {
					_, err := change.RecordPayments(ctx, model.RecordPaymentsInput{WebsiteID: site})
					return err
				},
				"deletePayments": func() error {
					_, err := change.DeletePayments(ctx, model.DeletePaymentsInput{WebsiteID: site, VisitorID: new("v")})
					return err
				},
				"website":  func() error { _, err := ask.Website(ctx, site); return err },
				"websites": func() error { _, err := ask.Websites(ctx); return err },
				"visitor":  func() error { _, err := ask.Visitor(ctx, site, "v"); return err },
				"payments": func() error { _, err := ask.Payments(ctx, site, nil, nil, nil); return err },
				"revenue":  func() error { _, err := ask.Revenue(ctx, site, nil, nil); return err },
				"revenueByVisitor": func() error {
					_, err := ask.RevenueByVisitor(ctx, site, nil, nil, nil, nil, nil)
					return err
				},
				"revenueOverTime": func() error {
					_, err := ask.RevenueOverTime(ctx, site, model.TimeRange{}, model.IntervalDay, nil)
					return err
				},
				"revenueBy": func() error {
					_, err := ask.RevenueBy(ctx, site, model.DimensionSource, nil, nil, nil, nil, nil)
					return err
				},
				"identity": func() error {
					_, err := resolver.Visitor().Identity(ctx, &model.Visitor{WebsiteID: b.site.ID, ID: "v"})
					return err
				},
			} {
				err := model.AsError(call())
				require.NotNil(t, err, name)
				require.Equal(t, model.CodeForbidden, err.Code, name)
			}
		}
	})
}
