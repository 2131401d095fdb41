package db

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// convertStep is how many payments are converted in one transaction. Nobody who records waits for it, but
// a delete does, and late attribution.
const convertStep = 1000

// errCurrencyChanged ends a step of a conversion to what is no longer the website's currency.
var errCurrencyChanged = errors.New("the website's currency was changed meanwhile")

// convert gives payments their amounts in the website's currency.
func convert(ctx context.Context, db querier, site model.Website, payments []*model.Payment) error {
	exchange := model.NewExchange(site)
	if err := addRates(ctx, db, exchange, payments); err != nil {
		return err
	}
	for _, p := range payments {
		exchange.Convert(p)
	}
	return nil
}

// SetCurrency changes the currency that a website reports in. From then on no payment counts by what it
// was worth in the former one; ConvertPayments converts them. Errors: CodeWebsiteNotFound.
func (s *Store) SetCurrency(ctx context.Context, id string, currency model.Currency) error {
	return s.onLedger(ctx, model.Website{ID: id}, alone, func(ctx context.Context, r recorder) error {
		result, err := r.tx.NewRaw("UPDATE websites SET currency = ?0, currency_version = currency_version + (currency <> ?0)::int WHERE id = ?1",
			currency, id).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return model.ErrWebsiteNotFound()
		}
		return nil
	})
}

// ConvertPayments converts the payments of a website that wait for it: for rates that were imported, or
// since its currency was changed. Those for which there is no rate go on waiting. It works in steps beside
// those who record, of which each stands if a later one fails; to repeat it goes on. After each step
// progress, if any, is told how far it is. The answer is how many payments were converted. Errors:
// CodeWebsiteNotFound.
func (s *Store) ConvertPayments(ctx context.Context, websiteID string, progress func(model.ConversionProgress)) (int, error) {
	c := conversion{store: s}
	for {
		err := c.run(ctx, websiteID, progress)
		if !errors.Is(err, errCurrencyChanged) {
			return c.converted, translate(err)
		}
	}
}

// conversion is one pass over the payments of a website that wait, in the order in which they occurred.
type conversion struct {
	store     *Store
	site      currencyRow
	last      convertedRow // of the last step
	seen      int
	converted int
}

// convertedRow is what a conversion reads and writes of a payment.
type convertedRow struct {
	bun.BaseModel `bun:"table:payments,alias:p"`

	ID          string `bun:"type:uuid"`
	OccurredAt  time.Time
	Currency    string
	AmountMinor int64
	conversionRow
}

func (c *conversion) run(ctx context.Context, websiteID string, progress func(model.ConversionProgress)) error {
	if err := c.begin(ctx, websiteID); err != nil {
		return err
	}
	for {
		rows, err := c.next(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return c.end(ctx)
		}
		if err := c.convert(ctx, rows); err != nil {
			return err
		}
		c.last = rows[len(rows)-1]
		c.seen += len(rows)
		if progress != nil {
			progress(model.ConversionProgress{Payments: c.seen, Until: c.last.OccurredAt.UTC()})
		}
	}
}

// begin waits, alone, for those who are recording: they may not have seen the rates that were imported, but
// what they record is seen from then on.
func (c *conversion) begin(ctx context.Context, websiteID string) error {
	c.last, c.seen = convertedRow{}, 0
	return c.store.onLedger(ctx, model.Website{ID: websiteID}, alone, func(ctx context.Context, r recorder) (err error) {
		c.site, err = r.currency(ctx)
		return err
	})
}

// currencyRow is what there is to know of a website for converting its payments.
type currencyRow struct {
	ID               string
	Currency         string
	Timezone         string
	CurrencyVersion  int // how often the currency was changed
	ConvertedVersion int // up to which change all payments have been converted
}

func (r currencyRow) toModel() model.Website {
	return model.Website{ID: r.ID, Currency: model.Currency(r.Currency), Timezone: r.Timezone}
}

func (r recorder) currency(ctx context.Context) (currencyRow, error) {
	var rows []currencyRow
	err := r.tx.NewRaw("SELECT id, currency, timezone, currency_version, converted_version FROM websites WHERE id = ?", r.site.ID).Scan(ctx, &rows)
	if err == nil && len(rows) == 0 {
		err = model.ErrWebsiteNotFound()
	}
	return append(rows, currencyRow{})[0], err
}

// next reads the payments of the next step: those that are not converted or, since the currency was
// changed, all.
func (c *conversion) next(ctx context.Context) ([]convertedRow, error) {
	var rows []convertedRow
	q := c.store.db.NewSelect().Model(&rows).Where("p.website_id = ?", c.site.ID).OrderExpr("p.occurred_at, p.id").Limit(convertStep)
	if c.site.CurrencyVersion == c.site.ConvertedVersion {
		q = q.Where("p.reporting_currency IS NULL")
	}
	if c.seen > 0 {
		q = q.Where("(p.occurred_at, p.id) > (?::timestamptz, ?::uuid)", c.last.OccurredAt, c.last.ID)
	}
	err := q.Scan(ctx, &rows)
	return rows, err
}

// convert writes what becomes of the payments of a step.
func (c *conversion) convert(ctx context.Context, rows []convertedRow) error {
	var changed []convertedRow
	for _, row := range rows {
		if row.ReportingCurrency == nil || *row.ReportingCurrency != c.site.Currency {
			changed = append(changed, row)
		}
	}
	payments := make([]*model.Payment, len(changed))
	for i, row := range changed {
		payments[i] = &model.Payment{
			Amount: model.Money{Minor: row.AmountMinor, Currency: model.Currency(row.Currency)}, OccurredAt: row.OccurredAt,
		}
	}
	if err := convert(ctx, c.store.db, c.site.toModel(), payments); err != nil {
		return err
	}
	written := changed[:0]
	for i, row := range changed {
		isWaiting := row.ReportingCurrency == nil
		row.conversionRow = newConversionRow(payments[i])
		if !isWaiting || row.ReportingCurrency != nil {
			written = append(written, row)
		}
	}
	if len(written) == 0 {
		return nil
	}
	converted := 0
	err := c.store.onLedger(ctx, c.site.toModel(), beside, func(ctx context.Context, r recorder) error {
		var err error
		converted, err = c.write(ctx, r, written)
		return err
	})
	c.converted += converted
	return err
}

// write keeps what the payments were converted to, unless they have been converted or deleted meanwhile.
func (c *conversion) write(ctx context.Context, r recorder, rows []convertedRow) (int, error) {
	r.lock(nil)
	site, err := r.currency(ctx)
	if err != nil {
		return 0, err
	}
	if site.CurrencyVersion != c.site.CurrencyVersion {
		return 0, errCurrencyChanged
	}
	var changed []struct {
		counted
		FormerMinor    *int64
		FormerCurrency *string
	}
	// The rows are locked before they are read: another pass may be about to write them.
	was := r.tx.NewSelect().TableExpr("payments AS p").ColumnExpr("p.*").Where("p.website_id = ?", c.site.ID).
		Where("p.id IN (SELECT id FROM converted)").Where("p.reporting_currency IS DISTINCT FROM ?", c.site.Currency).
		OrderExpr("p.occurred_at, p.id").For("UPDATE")
	err = r.tx.NewUpdate().With("converted", r.tx.NewValues(&rows)).With("was", was).
		Model((*convertedRow)(nil)).TableExpr("converted, was").
		Set("reporting_minor = converted.reporting_minor, reporting_currency = converted.reporting_currency").
		Set("rate_date = converted.rate_date, rate_source = converted.rate_source").
		Set("paid_per_euro = converted.paid_per_euro, reporting_per_euro = converted.reporting_per_euro").
		Where("p.website_id = ?", c.site.ID).Where("p.id = converted.id").Where("p.id = was.id").
		Returning(countedColumns+", was.reporting_minor AS former_minor, was.reporting_currency AS former_currency").Scan(ctx, &changed)
	converted := 0
	for _, row := range changed {
		before := row.counted
		before.ReportingMinor, before.ReportingCurrency = row.FormerMinor, row.FormerCurrency
		r.changes.removed = append(r.changes.removed, before)
		r.changes.added = append(r.changes.added, row.counted)
		if row.ReportingCurrency != nil {
			converted++
		}
	}
	return converted, err
}

// end notes that no payment is left that is converted to a former currency.
func (c *conversion) end(ctx context.Context) error {
	if c.site.CurrencyVersion == c.site.ConvertedVersion {
		return nil
	}
	_, err := c.store.db.NewRaw("UPDATE websites SET converted_version = ?0 WHERE id = ?1 AND currency_version = ?0", c.site.CurrencyVersion, c.site.ID).Exec(ctx)
	return err
}

// Waiting are the payments that no known rate converts, by website and currency.
func (s *Store) Waiting(ctx context.Context) ([]model.WaitingPayments, error) {
	var rows []struct {
		WebsiteID string
		Domain    string
		Timezone  string
		Reporting string
		Currency  string
		Payments  int
		First     time.Time
		Last      time.Time
	}
	err := s.db.NewRaw(`SELECT w.id AS website_id, w.domain, w.timezone, w.currency AS reporting, p.currency, count(*) AS payments,
			min(p.occurred_at) AS first, max(p.occurred_at) AS last
		FROM websites w JOIN payments p ON p.website_id = w.id
		WHERE p.reporting_currency IS NULL AND p.currency <> w.currency
		GROUP BY w.id, p.currency ORDER BY w.created_at, w.id, p.currency`).Scan(ctx, &rows)
	if err != nil {
		return nil, translate(err)
	}
	waiting := make([]model.WaitingPayments, len(rows))
	for i, row := range rows {
		zone := model.Website{Timezone: row.Timezone}.Location()
		waiting[i] = model.WaitingPayments{
			WebsiteID: row.WebsiteID, Domain: row.Domain, Reporting: model.Currency(row.Reporting), Currency: model.Currency(row.Currency),
			Payments: row.Payments, First: model.DateOf(row.First.In(zone)), Last: model.DateOf(row.Last.In(zone)),
		}
	}
	return waiting, nil
}
