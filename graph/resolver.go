// Package graph is the application layer: the resolvers that GraphQL and REST both call. A resolver
// asks the principal for the website and the scope, lets the input validate itself, and makes one
// call of the store. No rule lives in directives or middleware, which REST would not pass.
package graph

import (
	"context"
	"time"

	"tributary/model"
)

// Store keeps the ledger. Each method is one transaction; errors that clients may see are model's.
type Store interface {
	Website(ctx context.Context, id string) (model.Website, error)
	WebsiteByTrackingID(ctx context.Context, id string) (model.Website, error)
	Websites(ctx context.Context, accountID string) ([]model.Website, error)

	RecordPayment(ctx context.Context, site model.Website, p *model.NewPayment) (*model.RecordPaymentPayload, error)
	RecordPayments(ctx context.Context, site model.Website, payments []*model.NewPayment) ([]model.RecordPaymentResult, error)
	DeletePayments(ctx context.Context, site model.Website, tokenID string, d model.Deletion, now time.Time) (*model.DeletePaymentsPayload, error)
	ErasePerson(ctx context.Context, site model.Website, tokenID string, e model.Erasure, now time.Time) (*model.ErasePersonPayload, error)
	RecordVisit(ctx context.Context, site model.Website, view model.Visit, now time.Time) (*model.RecordVisitPayload, error)
	RecordEvent(ctx context.Context, site model.Website, event model.NewEvent, now time.Time) (*model.RecordEventPayload, error)

	Payments(ctx context.Context, site model.Website, query model.PaymentQuery) (*model.PaymentConnection, error)
	Revenue(ctx context.Context, site model.Website, query model.RevenueQuery) (*model.Revenue, error)
	RevenueBy(ctx context.Context, site model.Website, query model.RevenueByQuery) (*model.RevenueGroupConnection, error)
	RevenueOverTime(ctx context.Context, site model.Website, query model.RevenueOverTimeQuery) ([]*model.RevenueBucket, error)
	RevenueByVisitor(ctx context.Context, site model.Website, query model.VisitorRevenueQuery) (*model.VisitorRevenueConnection, error)

	Visitors(ctx context.Context, websiteID string, ids []string) (map[string]*model.Visitor, error)
	FirstVisits(ctx context.Context, websiteID string, visitors []string) (map[string]*model.Visit, error)
	LastVisits(ctx context.Context, websiteID string, visitors []string) (map[string]*model.Visit, error)
	VisitsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.VisitConnection, error)
	EventsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.EventConnection, error)
	JourneysOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.JourneyConnection, error)
	PaymentsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.PaymentConnection, error)
	RevenueOfVisitors(ctx context.Context, site model.Website, visitors []string, r model.Range) (map[string]*model.Revenue, error)
}

// Resolver holds what the resolvers need. It is safe for concurrent use.
type Resolver struct {
	Store Store
	// Now is the clock, read once an operation, in UTC to the microsecond.
	Now func() time.Time
	// ParseUserAgent tells the client of a User-Agent header.
	ParseUserAgent func(userAgent string) model.Client
	// BatchWait is how long sibling fields are waited for before the store is asked for all of them
	// together; 0 means a millisecond.
	BatchWait time.Duration
	// Observer, if set, is told of what GraphQL asks for.
	Observer Observer
}

// website is the website that a request is about, once the principal has shown that it may use it.
func (r *Resolver) website(ctx context.Context, requested *string, scope model.Scope) (model.Website, *model.Principal, error) {
	principal, err := model.PrincipalFrom(ctx)
	if err != nil {
		return model.Website{}, nil, err
	}
	id, err := principal.SelectWebsite(requested, scope)
	if err != nil {
		return model.Website{}, nil, err
	}
	site, err := r.Store.Website(ctx, id)
	if err == nil && !principal.OwnsWebsite(site) {
		err = model.ErrWebsiteNotFound()
	}
	return site, principal, err
}

// writable is website for operations that write.
func (r *Resolver) writable(ctx context.Context, requested *string) (model.Website, *model.Principal, error) {
	site, principal, err := r.website(ctx, requested, model.ScopePaymentsWrite)
	if err == nil {
		err = site.CheckWritable()
	}
	return site, principal, err
}

// tracked is writable for what trackers record too, of a page of the website.
func (r *Resolver) tracked(ctx context.Context, requested *string, page string) (model.Website, error) {
	principal, err := model.PrincipalFrom(ctx)
	if err != nil || principal.TrackingID == "" {
		site, _, err := r.writable(ctx, requested)
		return site, err
	}
	if model.CheckID(principal.TrackingID) != nil {
		return model.Website{}, model.ErrWebsiteNotFound()
	}
	site, err := r.Store.WebsiteByTrackingID(ctx, principal.TrackingID)
	if err == nil {
		err = site.CheckWritable()
	}
	if err == nil {
		err = site.CheckPage(page)
	}
	return site, err
}

// analysed is website for operations with an argument "model", which hides the package of that name.
func (r *Resolver) analysed(ctx context.Context, requested *string) (model.Website, error) {
	site, _, err := r.website(ctx, requested, model.ScopeAnalyticsRead)
	return site, err
}

// inRange resolves the argument "range" in the website's time zone.
func inRange(site model.Website, r *model.TimeRange) (model.Range, error) {
	var faults model.Faults
	resolved, err := r.In(site.Location())
	faults.Add("range", err)
	return resolved, faults.Err()
}

// require is for fields below a website that the principal was already shown to own.
func require(ctx context.Context, scope model.Scope) error {
	principal, err := model.PrincipalFrom(ctx)
	if err != nil {
		return err
	}
	return principal.Require(scope)
}

// payer is the visitor of a payment that has been read. The payment may have been deleted since, and with
// it all that is known of a visitor who was never seen.
func (r *Resolver) payer(ctx context.Context, website, id string) (*model.Visitor, error) {
	visitor, err := r.loaders(ctx).visitor.Load(ctx, key[none]{website: website, visitor: id})
	if err == nil && visitor == nil {
		visitor = &model.Visitor{WebsiteID: website, ID: id}
	}
	return visitor, err
}
