package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"tributary/db"
	"tributary/model"
)

// secretView is what commands show of a key or token: all but the secret, which is not known.
type secretView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix"`
	LastFour   string     `json:"last_four"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

func newSecretView(t model.Token) secretView {
	return secretView{t.ID, t.Name, t.Prefix, t.LastFour, t.CreatedAt, t.LastUsedAt, t.ExpiresAt, t.RevokedAt}
}

// hint is as much of the secret as an owner needs to recognise it.
func (s secretView) hint() string { return s.Prefix + "…" + s.LastFour }

func (s secretView) state() string {
	switch {
	case s.RevokedAt != nil:
		return "revoked"
	case s.ExpiresAt != nil && !now().Before(*s.ExpiresAt):
		return "expired"
	}
	return "valid"
}

// minute shows a time to the minute, in UTC.
func minute(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// revoke makes a key or an account token, which is one of all, invalid.
func (a *app) revoke(ctx context.Context, prefix string, id identifier, all func(*db.Store) ([]model.Token, error)) error {
	return a.withStore(ctx, func(store *db.Store) error {
		tokens, err := all(store)
		if err != nil {
			return err
		}
		hint := prefix + "…"
		for _, t := range tokens {
			if t.ID == string(id) {
				hint = newSecretView(t).hint()
			}
		}
		if err := store.RevokeToken(ctx, prefix, string(id), now()); err != nil {
			return err
		}
		untilNoticed(ctx)
		return a.print(map[string]any{"id": id, "revoked": true}, func(out io.Writer) {
			fmt.Fprintf(out, "Revoked %s, id %s: requests with it are answered 401.\n", hint, id)
		})
	})
}
