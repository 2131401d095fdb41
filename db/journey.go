package db

import (
	"context"

	"tributary/model"
)

// JourneysOfVisitors lists what each of several visitors did, first step first: visits, events of
// model.JourneyEvents, and payments, each kind in one statement.
func (s *Store) JourneysOfVisitors(
	ctx context.Context, websiteID string, visitors []string, page model.Page,
) (map[string]*model.JourneyConnection, error) {
	visits, err := s.visitsFrom(ctx, websiteID, visitors, page)
	if err != nil {
		return nil, err
	}
	events, err := s.eventsFrom(ctx, websiteID, visitors, page, model.JourneyEvents)
	if err != nil {
		return nil, err
	}
	payments, err := s.paymentsFrom(ctx, websiteID, visitors, page)
	if err != nil {
		return nil, err
	}
	journeys := make(map[string]*model.JourneyConnection, len(visitors))
	for _, visitor := range visitors {
		var steps []model.JourneyStep
		for i := range visits[visitor] {
			steps = append(steps, &visits[visitor][i])
		}
		for i := range events[visitor] {
			steps = append(steps, &events[visitor][i])
		}
		for i := range payments[visitor] {
			steps = append(steps, &payments[visitor][i])
		}
		journeys[visitor] = model.NewJourney(page, steps)
	}
	return journeys, nil
}

// paymentsFrom are up to page.First+1 payments of each of several visitors, first one first.
func (s *Store) paymentsFrom(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string][]model.Payment, error) {
	each := onward(s.db.NewSelect().Model((*paymentRow)(nil)).ColumnExpr(paymentColumns, websiteID).
		Where("p.website_id = ?", websiteID).Where("p.visitor_id = one.visitor"), page, "p.occurred_at, p.id")
	var rows []paymentRow
	if err := s.ofEach(ctx, visitors, each, "q.occurred_at, q.id", &rows); err != nil {
		return nil, err
	}
	payments, err := toPayments(rows)
	if err != nil {
		return nil, err
	}
	byVisitor := map[string][]model.Payment{}
	for _, p := range payments {
		byVisitor[*p.VisitorID] = append(byVisitor[*p.VisitorID], p)
	}
	return byVisitor, nil
}
