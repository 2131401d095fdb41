package db

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

type websiteRow struct {
	bun.BaseModel `bun:"table:websites,alias:w"`

	ID         string
	AccountID  string
	TrackingID string
	Domain     string
	Hostnames  []string `bun:",array"`
	Name       string
	Timezone   string
	Currency   string
	Suspended  bool
	CreatedAt  time.Time

	EventLimit int64 `bun:",scanonly"`
}

func (r *websiteRow) toModel() model.Website {
	return model.Website{
		ID: r.ID, AccountID: r.AccountID, TrackingID: r.TrackingID, Domain: r.Domain, Hostnames: r.Hostnames, Name: r.Name,
		Timezone: r.Timezone, Currency: model.Currency(r.Currency), Suspended: r.Suspended,
		CreatedAt: r.CreatedAt.UTC(), EventLimit: r.EventLimit,
	}
}

func (s *Store) selectWebsites(rows any) *bun.SelectQuery {
	return s.db.NewSelect().Model(rows).ColumnExpr("w.*, a.event_limit").
		Join("JOIN accounts a ON a.id = w.account_id").OrderExpr("w.created_at, w.id")
}

// Website is the website with the id. Errors: CodeWebsiteNotFound.
func (s *Store) Website(ctx context.Context, id string) (model.Website, error) {
	return s.websiteWhere(ctx, "w.id = ?", id)
}

// WebsiteByTrackingID is the website whose pages have the tracking id. Errors: CodeWebsiteNotFound.
func (s *Store) WebsiteByTrackingID(ctx context.Context, id string) (model.Website, error) {
	return s.websiteWhere(ctx, "w.tracking_id = ?", id)
}

func (s *Store) websiteWhere(ctx context.Context, condition, value string) (model.Website, error) {
	return s.websites.get(ctx, condition+value, func() (model.Website, error) { return s.readWebsite(ctx, condition, value) })
}

func (s *Store) readWebsite(ctx context.Context, condition, value string) (model.Website, error) {
	var rows []websiteRow
	if err := s.selectWebsites(&rows).Where(condition, value).Scan(ctx); err != nil {
		return model.Website{}, translate(err)
	}
	if len(rows) == 0 {
		return model.Website{}, model.ErrWebsiteNotFound()
	}
	return rows[0].toModel(), nil
}

// Websites are the websites of an account, oldest first; of all accounts for an account of "".
func (s *Store) Websites(ctx context.Context, accountID string) ([]model.Website, error) {
	var rows []websiteRow
	q := s.selectWebsites(&rows)
	if accountID != "" {
		q = q.Where("w.account_id = ?", accountID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, translate(err)
	}
	websites := make([]model.Website, len(rows))
	for i := range rows {
		websites[i] = rows[i].toModel()
	}
	return websites, nil
}

// CreateWebsite adds a website and completes it with its ids. Without an account it belongs to the
// oldest one, which is made if there is none. Errors: CodeInvalidField for an unknown account.
func (s *Store) CreateWebsite(ctx context.Context, w model.Website) (model.Website, error) {
	err := s.write(ctx, func(ctx context.Context, tx *transaction) error {
		var err error
		if w.AccountID, err = accountOr(ctx, tx, w.AccountID, w.CreatedAt); err != nil {
			return err
		}
		row := websiteRow{
			ID: randomHex(12), AccountID: w.AccountID, TrackingID: "dfid_" + randomHex(6), Domain: w.Domain,
			Hostnames: append([]string{}, w.Hostnames...), Name: w.Name,
			Timezone: w.Timezone, Currency: string(w.Currency), CreatedAt: w.CreatedAt,
		}
		w.ID, w.TrackingID, w.Hostnames = row.ID, row.TrackingID, row.Hostnames
		_, err = tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx)
		return err
	})
	return w, err
}

// ChangeHostnames changes the further hosts of a website's pages to those that change makes of them. Errors:
// CodeWebsiteNotFound.
func (s *Store) ChangeHostnames(ctx context.Context, id string, change func(hostnames []string) []string) error {
	return s.write(ctx, func(ctx context.Context, tx *transaction) error {
		var rows []websiteRow
		err := tx.NewSelect().Model(&rows).Column("hostnames").Where("id = ?", id).For("UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return model.ErrWebsiteNotFound()
		}
		changed := websiteRow{Hostnames: append([]string{}, change(rows[0].Hostnames)...)}
		_, err = tx.NewUpdate().Model(&changed).Column("hostnames").Where("id = ?", id).Exec(ctx)
		return err
	})
}

// SuspendWebsite switches writes to a website off, or on again. Errors: CodeWebsiteNotFound.
func (s *Store) SuspendWebsite(ctx context.Context, id string, suspended bool) error {
	return s.setWebsite(ctx, id, "suspended = ?", suspended)
}

// SetTimezone changes the time zone that a website's days are counted in: those of all its payments, which stay
// as they are converted. Errors: CodeWebsiteNotFound.
func (s *Store) SetTimezone(ctx context.Context, id, zone string) error {
	return s.setWebsite(ctx, id, "timezone = ?", zone)
}

// setWebsite changes a column of a website that concerns none of its other rows.
func (s *Store) setWebsite(ctx context.Context, id, set string, value any) error {
	result, err := s.db.NewUpdate().Model((*websiteRow)(nil)).Set(set, value).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return translate(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return model.ErrWebsiteNotFound()
	}
	return nil
}

type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:a"`

	ID         string
	Name       string
	EventLimit int64
	CreatedAt  time.Time
}

// accountOr is the account, if one is named, else the oldest, which is made if there is none.
func accountOr(ctx context.Context, tx *transaction, id string, now time.Time) (string, error) {
	if id != "" {
		return id, nil
	}
	// The lock keeps two first commands from making two accounts.
	if _, err := tx.NewRaw("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE").Exec(ctx); err != nil {
		return "", err
	}
	var oldest []string
	err := tx.NewSelect().Model((*accountRow)(nil)).Column("id").OrderExpr("created_at, id").Limit(1).Scan(ctx, &oldest)
	if err != nil || len(oldest) > 0 {
		return append(oldest, "")[0], err
	}
	row := accountRow{ID: randomHex(12), Name: "default", CreatedAt: now}
	_, err = tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx)
	return row.ID, err
}

// Accounts are all accounts, oldest first.
func (s *Store) Accounts(ctx context.Context) ([]model.Account, error) {
	var rows []accountRow
	if err := s.db.NewSelect().Model(&rows).OrderExpr("created_at, id").Scan(ctx); err != nil {
		return nil, translate(err)
	}
	accounts := make([]model.Account, len(rows))
	for i, row := range rows {
		accounts[i] = model.Account{ID: row.ID, Name: row.Name, EventLimit: row.EventLimit, CreatedAt: row.CreatedAt.UTC()}
	}
	return accounts, nil
}

// CreateAccount adds an account and completes it with its id.
func (s *Store) CreateAccount(ctx context.Context, a model.Account) (model.Account, error) {
	row := accountRow{ID: randomHex(12), Name: a.Name, EventLimit: a.EventLimit, CreatedAt: a.CreatedAt}
	_, err := s.db.NewInsert().Model(&row).Returning("NULL").Exec(ctx)
	a.ID = row.ID
	return a, translate(err)
}

// LimitAccount sets how many events the account may record a month; 0 means any number. Errors:
// CodeInvalidField for an unknown account.
func (s *Store) LimitAccount(ctx context.Context, id string, events int64) error {
	result, err := s.db.NewUpdate().Model((*accountRow)(nil)).Set("event_limit = ?", events).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return translate(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return model.Errorf(model.CodeInvalidField, "account", "no such account")
	}
	return nil
}

// randomHex is n random bytes in hexadecimal.
func randomHex(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}
