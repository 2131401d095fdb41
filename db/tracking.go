package db

import (
	"context"
	"slices"

	"tributary/model"
)

// WebsiteByTrackingID is the website whose pages have the tracking id. Those who ask meanwhile are answered
// together. Errors: CodeWebsiteNotFound.
func (s *Store) WebsiteByTrackingID(ctx context.Context, id string) (model.Website, error) {
	return s.lookups.ask(ctx, "", id)
}

func (s *Store) websitesByTrackingID(ctx context.Context, ids []string) []answer[model.Website] {
	var rows []websiteRow
	err := s.selectWebsites(&rows).Where("w.tracking_id IN (?)", list(sorted(slices.Clone(ids)))).Scan(ctx)
	if err != nil {
		return answersTo[model.Website](len(ids), translate(err))
	}
	found := make(map[string]model.Website, len(rows))
	for i := range rows {
		found[rows[i].TrackingID] = rows[i].toModel()
	}
	answers := make([]answer[model.Website], len(ids))
	for i, id := range ids {
		var ok bool
		if answers[i].value, ok = found[id]; !ok {
			answers[i].err = model.ErrWebsiteNotFound()
		}
	}
	return answers
}
