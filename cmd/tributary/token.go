package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"tributary/db"
	"tributary/model"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make an account token. It is shown only this once."`
	List   tokenListCmd   `cmd:"" help:"List the account tokens; the secrets themselves are not kept."`
	Revoke tokenRevokeCmd `cmd:"" help:"Make an account token invalid, for good."`
}

type tokenCreateCmd struct {
	Scope   []scope    `required:"" placeholder:"S" help:"payments:read, payments:write, analytics:read, websites:read, websites:write, api-keys:write, or * for all; repeatable."`
	Website []siteName `placeholder:"ID" help:"Limit the token to the website with this id or domain; may be repeated (default: all of the account's)."`
	Expires lifetime   `placeholder:"DURATION" help:"How long the token is valid, such as 720h (default: for ever)."`
	Name    title      `placeholder:"N" help:"What the token is for, to tell it from others."`
	Account identifier `placeholder:"ID" help:"Account of the token (default: that of its websites, else the oldest)."`
}

// Run implements the command.
func (c *tokenCreateCmd) Run(ctx context.Context, a *app) error {
	t := model.Token{Prefix: model.PrefixAccountToken, AccountID: string(c.Account), Name: string(c.Name), CreatedAt: now()}
	for _, s := range c.Scope {
		t.Scopes = append(t.Scopes, model.Scope(s))
	}
	if c.Expires > 0 {
		expires := t.CreatedAt.Add(time.Duration(c.Expires))
		t.ExpiresAt = &expires
	}
	t, secret := model.NewToken(t)
	return a.withStore(ctx, func(store *db.Store) error {
		for _, name := range c.Website {
			id, err := findWebsite(ctx, store, name)
			if err != nil {
				return err
			}
			t.WebsiteIDs = append(t.WebsiteIDs, id)
		}
		t, err := store.CreateToken(ctx, t)
		if err != nil {
			return err
		}
		created := struct {
			ID string `json:"id"`
			tokenGrant
			Name      string     `json:"name"`
			ExpiresAt *time.Time `json:"expires_at"`
			Token     string     `json:"token"`
		}{t.ID, newTokenGrant(t), t.Name, t.ExpiresAt, secret}
		return a.print(created, func(out io.Writer) {
			fmt.Fprintf(out, "Created an account token.\n\n  id\t%s\n  scopes\t%s\n  websites\t%s\n  expires\t%s\n  token\t%s\n\n",
				t.ID, created.scopes(), created.websites(), minute(t.ExpiresAt), secret)
			fmt.Fprint(out, "Keep the token now: it is not shown again. Send it as the header\n\n"+
				"  Authorization: Bearer <token>\n\nand say which website is meant, as ?websiteId= in REST and as an argument in GraphQL.\n")
		})
	})
}

// tokenGrant is what an account token allows.
type tokenGrant struct {
	AccountID  string        `json:"account_id"`
	Scopes     []model.Scope `json:"scopes"`
	WebsiteIDs []string      `json:"website_ids"` // empty means all of the account's
}

func newTokenGrant(t model.Token) tokenGrant {
	return tokenGrant{t.AccountID, t.Scopes, append([]string{}, t.WebsiteIDs...)}
}

func (g tokenGrant) scopes() string {
	names := make([]string, len(g.Scopes))
	for i, s := range g.Scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ",")
}

func (g tokenGrant) websites() string {
	if len(g.WebsiteIDs) == 0 {
		return "all"
	}
	return strings.Join(g.WebsiteIDs, ",")
}

type tokenListCmd struct{}

// Run implements the command.
func (c *tokenListCmd) Run(ctx context.Context, a *app) error {
	type view struct {
		secretView
		tokenGrant
	}
	return a.withStore(ctx, func(store *db.Store) error {
		tokens, err := store.Tokens(ctx, "")
		if err != nil {
			return err
		}
		views := make([]view, len(tokens))
		for i, t := range tokens {
			views[i] = view{newSecretView(t), newTokenGrant(t)}
		}
		return a.print(map[string]any{"tokens": views}, func(out io.Writer) {
			if len(views) == 0 {
				fmt.Fprintln(out, "There is no account token yet: `tributary token create --scope payments:write` makes one.")
				return
			}
			fmt.Fprintln(out, "ID\tTOKEN\tNAME\tSCOPES\tWEBSITES\tSTATE\tCREATED\tLAST USED\tEXPIRES\tACCOUNT")
			for _, t := range views {
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.hint(), t.Name, t.scopes(), t.websites(),
					t.state(), minute(&t.CreatedAt), minute(t.LastUsedAt), minute(t.ExpiresAt), t.AccountID)
			}
		})
	})
}

type tokenRevokeCmd struct {
	ID identifier `arg:"" help:"Id of the token."`
}

// Run implements the command.
func (c *tokenRevokeCmd) Run(ctx context.Context, a *app) error {
	return a.revoke(ctx, model.PrefixAccountToken, c.ID, func(store *db.Store) ([]model.Token, error) { return store.Tokens(ctx, "") })
}
