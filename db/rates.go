package db

import (
	"context"
	"time"

	"github.com/uptrace/bun/dialect/pgdialect"

	"tributary/model"
)

// importStep is how many rates are written by one statement.
const importStep = 5000

// ImportRates keeps published rates, all or none, each day and currency once. Of one that is kept already
// with another value, the imported one replaces it if replace says so. What payments were converted by
// does not change: see ConvertPayments for those that wait.
func (s *Store) ImportRates(ctx context.Context, rates []model.Rate, replace bool, now time.Time) (model.RateImport, error) {
	var done model.RateImport
	err := s.write(ctx, func(ctx context.Context, tx *transaction) error {
		done = model.RateImport{}
		// One import at a time, so that what is counted is what happened.
		if _, err := tx.NewRaw("LOCK TABLE rates IN SHARE ROW EXCLUSIVE MODE").Exec(ctx); err != nil {
			return err
		}
		for rest := rates; len(rest) > 0; {
			n := min(len(rest), importStep)
			step, err := importRates(ctx, tx, rest[:n], replace, now)
			if err != nil {
				return err
			}
			done.Unchanged += step.Unchanged
			done.Different += step.Different
			rest = rest[n:]
		}
		return nil
	})
	done.New = len(rates) - done.Unchanged - done.Different
	return done, err
}

// importRates writes some of the rates, and counts those that were there.
func importRates(ctx context.Context, tx *transaction, rates []model.Rate, replace bool, now time.Time) (model.RateImport, error) {
	columns := make([][]string, 4)
	for _, r := range rates {
		for i, value := range []string{r.Date.String(), string(r.Currency), string(r.PerEuro), r.Source} {
			columns[i] = append(columns[i], value)
		}
	}
	var found model.RateImport
	err := tx.NewRaw(`WITH sent AS (
			SELECT * FROM unnest(?::date[], ?::text[], ?::numeric[], ?::text[]) AS sent (date, currency, per_euro, source)),
		found AS (
			SELECT r.per_euro = sent.per_euro AS same FROM sent JOIN rates r ON r.date = sent.date AND r.currency = sent.currency),
		written AS (
			INSERT INTO rates AS r (date, currency, per_euro, source, imported_at) SELECT sent.*, ?::timestamptz FROM sent
			ON CONFLICT (date, currency) DO UPDATE SET per_euro = EXCLUDED.per_euro, source = EXCLUDED.source, imported_at = EXCLUDED.imported_at
			WHERE ? AND r.per_euro <> EXCLUDED.per_euro)
		SELECT count(*) FILTER (WHERE same) AS unchanged, count(*) FILTER (WHERE NOT same) AS different FROM found`,
		pgdialect.Array(columns[0]), pgdialect.Array(columns[1]), pgdialect.Array(columns[2]), pgdialect.Array(columns[3]), now, replace).
		Scan(ctx, &found.Unchanged, &found.Different)
	return found, err
}

// DeleteRates forgets the rates of a source. What payments were converted by does not change.
func (s *Store) DeleteRates(ctx context.Context, source string) error {
	_, err := s.db.NewRaw("DELETE FROM rates WHERE source = ?", source).Exec(ctx)
	return translate(err)
}

// Rates tells what rates are kept, by source.
func (s *Store) Rates(ctx context.Context) ([]model.RateSummary, error) {
	var rows []struct {
		Source      string
		First, Last time.Time
		Days, Rates int
		Currencies  []string `bun:",array"`
	}
	err := s.db.NewRaw(`SELECT source, min(date) AS first, max(date) AS last, count(DISTINCT date) AS days, count(*) AS rates,
		array_agg(DISTINCT currency ORDER BY currency) AS currencies FROM rates GROUP BY source ORDER BY last DESC, source`).Scan(ctx, &rows)
	if err != nil {
		return nil, translate(err)
	}
	summaries := make([]model.RateSummary, len(rows))
	for i, row := range rows {
		summaries[i] = model.RateSummary{Source: row.Source, First: model.DateOf(row.First), Last: model.DateOf(row.Last), Days: row.Days, Rates: row.Rates}
		for _, c := range row.Currencies {
			summaries[i].Currencies = append(summaries[i].Currencies, model.Currency(c))
		}
	}
	return summaries, nil
}

type rateRow struct {
	Date     time.Time
	Currency string
	PerEuro  string
	Source   string
}

// addRates gives an exchange the rates that it needs for the payments.
func addRates(ctx context.Context, db querier, exchange *model.Exchange, payments []*model.Payment) error {
	days, currencies := exchange.Needs(payments)
	if len(currencies) == 0 {
		return nil
	}
	dates := make([]string, len(days))
	for i, day := range days {
		dates[i] = day.String()
	}
	var rows []rateRow
	err := db.NewRaw("SELECT date, currency, per_euro::text AS per_euro, source FROM rates WHERE date = ANY(?::date[]) AND currency IN (?)",
		pgdialect.Array(dates), list(currencies)).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	rates := make([]model.Rate, len(rows))
	for i, row := range rows {
		rates[i] = model.Rate{
			Date: model.DateOf(row.Date), Currency: model.Currency(row.Currency), PerEuro: model.Decimal(row.PerEuro), Source: row.Source,
		}
	}
	exchange.Add(rates)
	return nil
}

// conversionRow is the part of a payment's row that says what it is worth in the website's currency.
type conversionRow struct {
	ReportingMinor    *int64
	ReportingCurrency *string
	RateDate          *time.Time `bun:"type:date"`
	RateSource        *string
	PaidPerEuro       *string `bun:"type:numeric"`
	ReportingPerEuro  *string `bun:"type:numeric"`
}

func newConversionRow(p *model.Payment) conversionRow {
	var row conversionRow
	if p.Reporting == nil {
		return row
	}
	row.ReportingMinor, row.ReportingCurrency = &p.Reporting.Minor, (*string)(&p.Reporting.Currency)
	if c := p.Conversion; c != nil {
		date := c.Date.Time()
		row.RateDate, row.RateSource = &date, &c.Source
		row.PaidPerEuro, row.ReportingPerEuro = (*string)(&c.PaidPerEuro), (*string)(&c.ReportingPerEuro)
	}
	return row
}

// toConversion is what was paid in the website's currency, and how it was converted: see inCurrencyOf.
func (r *conversionRow) toConversion(paid model.Money, currency model.Currency) (*model.Money, *model.Conversion) {
	switch {
	case paid.Currency == currency:
		return &paid, nil
	case r.ReportingCurrency == nil || model.Currency(*r.ReportingCurrency) != currency:
		return nil, nil
	}
	return &model.Money{Minor: *r.ReportingMinor, Currency: currency}, &model.Conversion{
		Date: model.DateOf(*r.RateDate), Source: *r.RateSource,
		PaidPerEuro: model.Decimal(*r.PaidPerEuro), ReportingPerEuro: model.Decimal(*r.ReportingPerEuro),
	}
}
