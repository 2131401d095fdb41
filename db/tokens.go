package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// usedResolution is how exactly the last use of a token is kept, so that not every request writes.
const usedResolution = time.Minute

type tokenRow struct {
	bun.BaseModel `bun:"table:tokens,alias:k"`

	ID         string
	Hash       []byte
	Prefix     string
	LastFour   string
	Name       string
	AccountID  string
	WebsiteID  *string
	Scopes     []string `bun:",array"`
	WebsiteIDs []string `bun:"website_ids,array"`
	CreatedAt  time.Time
	LastUsedAt *time.Time
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
}

func (r *tokenRow) toModel() model.Token {
	t := model.Token{
		ID: r.ID, Hash: r.Hash, Prefix: r.Prefix, LastFour: r.LastFour, Name: r.Name, AccountID: r.AccountID,
		WebsiteIDs: r.WebsiteIDs, CreatedAt: r.CreatedAt.UTC(),
		LastUsedAt: inUTC(r.LastUsedAt), ExpiresAt: inUTC(r.ExpiresAt), RevokedAt: inUTC(r.RevokedAt),
	}
	if r.WebsiteID != nil {
		t.WebsiteID = *r.WebsiteID
	}
	for _, scope := range r.Scopes {
		t.Scopes = append(t.Scopes, model.Scope(scope))
	}
	return t
}

// CreateToken adds a token and completes it with its id. A website key belongs to its website's
// account; an account token without an account belongs to the oldest one. Errors:
// CodeWebsiteNotFound for a website that is unknown or of another account.
func (s *Store) CreateToken(ctx context.Context, t model.Token) (model.Token, error) {
	err := s.write(ctx, func(ctx context.Context, tx *transaction) error {
		var err error
		if t.WebsiteID != "" {
			t.AccountID, err = accountOfWebsites(ctx, tx, []string{t.WebsiteID}, t.AccountID)
		} else if len(t.WebsiteIDs) > 0 {
			t.AccountID, err = accountOfWebsites(ctx, tx, t.WebsiteIDs, t.AccountID)
		} else {
			t.AccountID, err = accountOr(ctx, tx, t.AccountID, t.CreatedAt)
		}
		if err != nil {
			return err
		}
		t.ID = randomHex(12)
		row := tokenRow{
			ID: t.ID, Hash: t.Hash, Prefix: t.Prefix, LastFour: t.LastFour, Name: t.Name, AccountID: t.AccountID,
			Scopes: []string{}, WebsiteIDs: append([]string{}, t.WebsiteIDs...), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
		}
		if t.WebsiteID != "" {
			row.WebsiteID = &t.WebsiteID
		}
		for _, scope := range t.Scopes {
			row.Scopes = append(row.Scopes, string(scope))
		}
		_, err = tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx)
		return err
	})
	return t, err
}

// accountOfWebsites is the account that has all of the websites.
func accountOfWebsites(ctx context.Context, tx *transaction, websites []string, account string) (string, error) {
	for _, id := range websites {
		var owners []string
		err := tx.NewSelect().Model((*websiteRow)(nil)).Column("account_id").Where("id = ?", id).Scan(ctx, &owners)
		if err != nil {
			return "", err
		}
		if len(owners) == 0 || account != "" && owners[0] != account {
			return "", model.ErrWebsiteNotFound()
		}
		account = owners[0]
	}
	return account, nil
}

// Tokens lists tokens, oldest first: the keys of a website, or the account tokens if websiteID is "".
func (s *Store) Tokens(ctx context.Context, websiteID string) ([]model.Token, error) {
	var rows []tokenRow
	q := s.db.NewSelect().Model(&rows).OrderExpr("created_at, id")
	if websiteID != "" {
		q = q.Where("website_id = ?", websiteID)
	} else {
		q = q.Where("website_id IS NULL")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, translate(err)
	}
	tokens := make([]model.Token, len(rows))
	for i := range rows {
		tokens[i] = rows[i].toModel()
	}
	return tokens, nil
}

// RevokeToken makes a key (prefix df_) or account token (dft_) invalid from now on. To revoke again
// changes nothing. Errors: CodeInvalidField for an unknown id.
func (s *Store) RevokeToken(ctx context.Context, prefix, id string, now time.Time) error {
	result, err := s.db.NewUpdate().Model((*tokenRow)(nil)).Set("revoked_at = coalesce(revoked_at, ?)", now).
		Where("id = ? AND prefix = ?", id, prefix).Exec(ctx)
	if err != nil {
		return translate(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return model.Errorf(model.CodeInvalidField, "id", "no such key or token")
	}
	return nil
}

// TokenByHash finds a token that is neither revoked nor expired, and notes its use. Errors:
// CodeUnauthorized.
func (s *Store) TokenByHash(ctx context.Context, hash []byte, now time.Time) (model.Token, error) {
	token, err := s.tokens.get(ctx, string(hash), func() (model.Token, error) { return s.useToken(ctx, hash, now) })
	if err != nil {
		return model.Token{}, err
	}
	if token.ExpiresAt != nil && !now.Before(*token.ExpiresAt) {
		return model.Token{}, model.ErrUnauthorized()
	}
	return token, nil
}

// useToken reads a token that is not revoked, and notes its use.
func (s *Store) useToken(ctx context.Context, hash []byte, now time.Time) (model.Token, error) {
	var rows []tokenRow
	if err := s.db.NewSelect().Model(&rows).Where("hash = ?", hash).Where("revoked_at IS NULL").Scan(ctx); err != nil {
		return model.Token{}, translate(err)
	}
	if len(rows) == 0 {
		return model.Token{}, model.ErrUnauthorized()
	}
	used, expires := rows[0].LastUsedAt, rows[0].ExpiresAt
	if (used == nil || now.Sub(*used) >= usedResolution) && (expires == nil || now.Before(*expires)) {
		_, err := s.db.NewUpdate().Model((*tokenRow)(nil)).Set("last_used_at = ?", now).
			Where("id = ?", rows[0].ID).Where("last_used_at IS NULL OR last_used_at <= ?", now.Add(-usedResolution)).Exec(ctx)
		if err != nil {
			return model.Token{}, translate(err)
		}
	}
	return rows[0].toModel(), nil
}
