// Package demo fills a website with a few months of made-up visits and payments, so that whoever starts
// Tributary for the first time has something to ask about. All people in it are invented; their addresses
// are at example.com. The data comes in through the resolvers, as everybody's does; only the exchange rates of its
// days, which are made up too, do not.
package demo

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/graph/generated"
	"tributary/model"
)

// Domain is the domain of the demo website, by which it is found again.
const Domain = "demo.example"

// Store is what the demo asks of the database besides recording.
type Store interface {
	Websites(ctx context.Context, accountID string) ([]model.Website, error)
	CreateWebsite(ctx context.Context, w model.Website) (model.Website, error)
	Payments(ctx context.Context, site model.Website, query model.PaymentQuery) (*model.PaymentConnection, error)
	EventsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.EventConnection, error)
	VisitsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.VisitConnection, error)
	ImportRates(ctx context.Context, rates []model.Rate, replace bool, now time.Time) (model.RateImport, error)
	DeleteRates(ctx context.Context, source string) error
}

const (
	// batch is how many payments are recorded in one transaction.
	batch = 100
	// writers record visits at the same time, so that they share the waits for the disk.
	writers = 8
)

// Seed makes the demo website unless it is there, and records what is missing of its data: all of it
// at first, the rest after a start that was ended half-way, nothing once the data was complete, even if
// some of it has been deleted since. The data ends with the day before the website was created and
// depends on nothing but that day. Before anything is recorded, begin is called with the number of all
// pageviews, events and payments. Two processes must not seed the same database at once.
func Seed(ctx context.Context, store Store, mutations generated.MutationResolver, now time.Time, begin func(total int)) (model.Website, error) {
	site, err := findOrCreate(ctx, store, now)
	if err != nil {
		return site, fmt.Errorf("create the demo website: %w", err)
	}
	p := newPlan(site.CreatedAt)
	complete, err := isComplete(ctx, store, site, p)
	if err != nil {
		return site, err
	}
	if complete {
		return site, store.DeleteRates(ctx, rateSource) // of a start that was ended just before it did so
	}
	begin(p.pageviews() + len(p.signups) + len(p.payments))
	s := seeder{store: store, mutations: mutations, site: site}
	ctx = model.WithPrincipal(ctx, &model.Principal{TokenID: "demo", AccountID: site.AccountID, WebsiteID: site.ID})
	if err := s.recordVisits(ctx, p.journeys); err != nil {
		return site, fmt.Errorf("record the demo's visits: %w", err)
	}
	if err := s.recordSignups(ctx, p.signups); err != nil {
		return site, fmt.Errorf("record the demo's events: %w", err)
	}
	err = withRates(ctx, store, site.CreatedAt, func() error { return s.recordPayments(ctx, p.payments) })
	if err != nil {
		return site, fmt.Errorf("record the demo's payments: %w", err)
	}
	return site, nil
}

func findOrCreate(ctx context.Context, store Store, now time.Time) (model.Website, error) {
	websites, err := store.Websites(ctx, "")
	if err != nil {
		return model.Website{}, err
	}
	for _, site := range websites {
		if site.Domain == Domain {
			return site, nil
		}
	}
	return store.CreateWebsite(ctx, model.Website{
		Domain: Domain, Name: "Demo", Timezone: "UTC", Currency: "USD", CreatedAt: now.UTC(),
	})
}

// isComplete says whether the last batch of payments has been recorded: one transaction, after
// everything else. That there is any payment of its time tells, whichever of them a person has deleted.
func isComplete(ctx context.Context, store Store, site model.Website, p plan) (bool, error) {
	before := p.payments[len(p.payments)-batch-1]
	found, err := store.Payments(ctx, site, model.PaymentQuery{
		In:   model.Range{From: before.OccurredAt.In(time.UTC).Add(time.Microsecond), To: site.CreatedAt.UTC().Truncate(day)},
		Page: model.Page{First: 1},
	})
	if err != nil {
		return false, fmt.Errorf("look for the demo's payments: %w", err)
	}
	return len(found.Edges) > 0, nil
}

// seeder records a plan on the demo website.
type seeder struct {
	store     Store
	mutations generated.MutationResolver
	site      model.Website
}

// recordVisits records the journeys, each in its order and several at once.
func (s seeder) recordVisits(ctx context.Context, journeys [][]model.RecordVisitInput) error {
	recorded, err := s.recordedViews(ctx, journeys)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, journey := range journeys {
		group.Go(func() error {
			had := map[string]int{}
			for _, view := range journey {
				session := *view.SessionID
				if had[session]++; had[session] <= recorded[session] {
					continue
				}
				if _, err := s.mutations.RecordVisit(ctx, view); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// recordSignups records the events of visitors who have none.
func (s seeder) recordSignups(ctx context.Context, signups []model.RecordEventInput) error {
	visitors := make([]string, len(signups))
	for i, event := range signups {
		visitors[i] = event.VisitorID
	}
	recorded, err := s.store.EventsOfVisitors(ctx, s.site.ID, visitors, model.Page{First: 1})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, event := range signups {
		if len(recorded[event.VisitorID].Edges) > 0 {
			continue
		}
		group.Go(func() error {
			_, err := s.mutations.RecordEvent(ctx, event)
			return err
		})
	}
	return group.Wait()
}

// recordedViews is how many pageviews of each session an earlier start has recorded.
func (s seeder) recordedViews(ctx context.Context, journeys [][]model.RecordVisitInput) (map[string]int, error) {
	visitors := make([]string, len(journeys))
	for i, journey := range journeys {
		visitors[i] = journey[0].VisitorID
	}
	pages, err := s.store.VisitsOfVisitors(ctx, s.site.ID, visitors, model.Page{First: model.MaxPageSize})
	if err != nil {
		return nil, err
	}
	views := map[string]int{}
	for _, page := range pages {
		for _, edge := range page.Edges {
			if session := edge.Node.SessionID; session != nil {
				views[*session] = edge.Node.Pageviews
			}
		}
	}
	return views, nil
}

// recordPayments records the payments in batches, of which the first is the one that is not full.
// Those that an earlier start has recorded are duplicates, which change nothing.
func (s seeder) recordPayments(ctx context.Context, payments []model.RecordPaymentInput) error {
	for len(payments) > 0 {
		n := (len(payments)-1)%batch + 1
		payload, err := s.mutations.RecordPayments(ctx, model.RecordPaymentsInput{Payments: payments[:n]})
		if err != nil {
			return err
		}
		for _, result := range payload.Results {
			if result.Error != nil {
				return result.Error
			}
		}
		payments = payments[n:]
	}
	return nil
}
