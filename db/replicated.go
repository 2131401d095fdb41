package db

import (
	"context"
	"time"

	"tributary/model"
)

// These methods are those of Store that record and delete: reports that are asked for later show it.

// RecordPayment is Store.RecordPayment.
func (r *Replicated) RecordPayment(ctx context.Context, site model.Website, p *model.NewPayment) (*model.RecordPaymentPayload, error) {
	defer r.wrote(ctx, site.ID)
	return r.Store.RecordPayment(ctx, site, p)
}

// RecordPayments is Store.RecordPayments.
func (r *Replicated) RecordPayments(ctx context.Context, site model.Website, payments []*model.NewPayment) ([]model.RecordPaymentResult, error) {
	defer r.wrote(ctx, site.ID)
	return r.Store.RecordPayments(ctx, site, payments)
}

// DeletePayments is Store.DeletePayments.
func (r *Replicated) DeletePayments(ctx context.Context, site model.Website, tokenID string, d model.Deletion, now time.Time) (*model.DeletePaymentsPayload, error) {
	defer r.wrote(ctx, site.ID)
	return r.Store.DeletePayments(ctx, site, tokenID, d, now)
}

// RecordVisit is Store.RecordVisit.
func (r *Replicated) RecordVisit(ctx context.Context, site model.Website, view model.Visit, now time.Time) (*model.RecordVisitPayload, error) {
	defer r.wrote(ctx, site.ID)
	return r.Store.RecordVisit(ctx, site, view, now)
}

// RecordEvent is Store.RecordEvent.
func (r *Replicated) RecordEvent(ctx context.Context, site model.Website, event model.NewEvent, now time.Time) (*model.RecordEventPayload, error) {
	defer r.wrote(ctx, site.ID)
	return r.Store.RecordEvent(ctx, site, event, now)
}

// ErasePerson is Store.ErasePerson.
func (r *Replicated) ErasePerson(ctx context.Context, site model.Website, tokenID string, e model.Erasure, now time.Time) (*model.ErasePersonPayload, error) {
	defer r.wrote(ctx, site.ID)
	return r.Store.ErasePerson(ctx, site, tokenID, e, now)
}

// These methods are those of Store that report: each reads from the replica or, if that cannot be used, from the
// primary.

// Payments is Store.Payments.
func (r *Replicated) Payments(ctx context.Context, site model.Website, query model.PaymentQuery) (*model.PaymentConnection, error) {
	return report(ctx, r, site.ID, func(s *Store) (*model.PaymentConnection, error) { return s.Payments(ctx, site, query) })
}

// Revenue is Store.Revenue.
func (r *Replicated) Revenue(ctx context.Context, site model.Website, query model.RevenueQuery) (*model.Revenue, error) {
	return report(ctx, r, site.ID, func(s *Store) (*model.Revenue, error) { return s.Revenue(ctx, site, query) })
}

// RevenueBy is Store.RevenueBy.
func (r *Replicated) RevenueBy(ctx context.Context, site model.Website, query model.RevenueByQuery) (*model.RevenueGroupConnection, error) {
	return report(ctx, r, site.ID, func(s *Store) (*model.RevenueGroupConnection, error) { return s.RevenueBy(ctx, site, query) })
}

// RevenueOverTime is Store.RevenueOverTime.
func (r *Replicated) RevenueOverTime(ctx context.Context, site model.Website, query model.RevenueOverTimeQuery) ([]*model.RevenueBucket, error) {
	return report(ctx, r, site.ID, func(s *Store) ([]*model.RevenueBucket, error) { return s.RevenueOverTime(ctx, site, query) })
}

// RevenueByVisitor is Store.RevenueByVisitor.
func (r *Replicated) RevenueByVisitor(ctx context.Context, site model.Website, query model.VisitorRevenueQuery) (*model.VisitorRevenueConnection, error) {
	return report(ctx, r, site.ID, func(s *Store) (*model.VisitorRevenueConnection, error) { return s.RevenueByVisitor(ctx, site, query) })
}

// RevenueOfVisitors is Store.RevenueOfVisitors.
func (r *Replicated) RevenueOfVisitors(ctx context.Context, site model.Website, visitors []string, in model.Range) (map[string]*model.Revenue, error) {
	return report(ctx, r, site.ID, func(s *Store) (map[string]*model.Revenue, error) { return s.RevenueOfVisitors(ctx, site, visitors, in) })
}

// Visitors is Store.Visitors.
func (r *Replicated) Visitors(ctx context.Context, websiteID string, ids []string) (map[string]*model.Visitor, error) {
	return report(ctx, r, websiteID, func(s *Store) (map[string]*model.Visitor, error) { return s.Visitors(ctx, websiteID, ids) })
}

// FirstVisits is Store.FirstVisits.
func (r *Replicated) FirstVisits(ctx context.Context, websiteID string, visitors []string) (map[string]*model.Visit, error) {
	return report(ctx, r, websiteID, func(s *Store) (map[string]*model.Visit, error) { return s.FirstVisits(ctx, websiteID, visitors) })
}

// LastVisits is Store.LastVisits.
func (r *Replicated) LastVisits(ctx context.Context, websiteID string, visitors []string) (map[string]*model.Visit, error) {
	return report(ctx, r, websiteID, func(s *Store) (map[string]*model.Visit, error) { return s.LastVisits(ctx, websiteID, visitors) })
}

// VisitsOfVisitors is Store.VisitsOfVisitors.
func (r *Replicated) VisitsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.VisitConnection, error) {
	return report(ctx, r, websiteID, func(s *Store) (map[string]*model.VisitConnection, error) {
		return s.VisitsOfVisitors(ctx, websiteID, visitors, page)
	})
}

// EventsOfVisitors is Store.EventsOfVisitors.
func (r *Replicated) EventsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.EventConnection, error) {
	return report(ctx, r, websiteID, func(s *Store) (map[string]*model.EventConnection, error) {
		return s.EventsOfVisitors(ctx, websiteID, visitors, page)
	})
}

// JourneysOfVisitors is Store.JourneysOfVisitors.
func (r *Replicated) JourneysOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.JourneyConnection, error) {
	return report(ctx, r, websiteID, func(s *Store) (map[string]*model.JourneyConnection, error) {
		return s.JourneysOfVisitors(ctx, websiteID, visitors, page)
	})
}

// PaymentsOfVisitors is Store.PaymentsOfVisitors.
func (r *Replicated) PaymentsOfVisitors(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string]*model.PaymentConnection, error) {
	return report(ctx, r, websiteID, func(s *Store) (map[string]*model.PaymentConnection, error) {
		return s.PaymentsOfVisitors(ctx, websiteID, visitors, page)
	})
}
