package rates

import (
	"context"
	"time"

	"tributary/model"
)

// Store keeps the rates, and the payments that wait for them.
type Store interface {
	Websites(ctx context.Context, accountID string) ([]model.Website, error)
	Rates(ctx context.Context) ([]model.RateSummary, error)
	ImportRates(ctx context.Context, rates []model.Rate, replace bool, now time.Time) (model.RateImport, error)
	ConvertPayments(ctx context.Context, websiteID string, progress func(model.ConversionProgress)) (int, error)
}

// Convert converts what waits on all websites, and answers how many payments that were. What was converted
// before an error stays so.
func Convert(ctx context.Context, store Store, progress func(model.ConversionProgress)) (int, error) {
	websites, err := store.Websites(ctx, "")
	if err != nil {
		return 0, err
	}
	total := 0
	for _, site := range websites {
		n, err := store.ConvertPayments(ctx, site.ID, progress)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
