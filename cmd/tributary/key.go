package main

import (
	"context"
	"fmt"
	"io"

	"tributary/db"
	"tributary/model"
)

type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Make a key of a website. It is shown only this once."`
	List   keyListCmd   `cmd:"" help:"List the keys; the secrets themselves are not kept."`
	Revoke keyRevokeCmd `cmd:"" help:"Make a key invalid, for good."`
}

type keyCreateCmd struct {
	Website siteName `placeholder:"ID" help:"Id or domain of the key's website (default: the only one that there is)."`
	Name    title    `placeholder:"N" help:"What the key is for, to tell it from others."`
}

// Run implements the command.
func (c *keyCreateCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		website, err := chooseWebsite(ctx, store, c.Website)
		if err != nil {
			return err
		}
		key, secret, err := createKey(ctx, store, website, string(c.Name))
		if err != nil {
			return err
		}
		created := struct {
			ID        string `json:"id"`
			WebsiteID string `json:"website_id"`
			Name      string `json:"name"`
			Key       string `json:"key"`
		}{key.ID, website, key.Name, secret}
		return a.print(created, func(out io.Writer) {
			fmt.Fprintf(out, "Created a key of the website %s.\n\n  id\t%s\n  key\t%s\n\n", website, key.ID, secret)
			fmt.Fprint(out, "Keep the key now: it is not shown again. Send it as the header\n\n  Authorization: Bearer <key>\n")
		})
	})
}

// createKey makes a key of a website, and answers its secret.
func createKey(ctx context.Context, store *db.Store, website, name string) (model.Token, string, error) {
	key, secret := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: website, Name: name, CreatedAt: now()})
	key, err := store.CreateToken(ctx, key)
	return key, secret, err
}

type keyListCmd struct {
	Website siteName `placeholder:"ID" help:"Only the keys of the website with this id or domain."`
}

// keyView is a website key as commands show it.
type keyView struct {
	secretView
	WebsiteID string `json:"website_id"`
}

// Run implements the command.
func (c *keyListCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		keys, err := keysOf(ctx, store, c.Website)
		if err != nil {
			return err
		}
		views := make([]keyView, len(keys))
		for i, k := range keys {
			views[i] = keyView{newSecretView(k), k.WebsiteID}
		}
		return a.print(map[string]any{"keys": views}, func(out io.Writer) {
			if len(views) == 0 {
				fmt.Fprintln(out, "There is no key yet: `tributary key create` makes one.")
				return
			}
			fmt.Fprintln(out, "ID\tKEY\tWEBSITE\tNAME\tSTATE\tCREATED\tLAST USED")
			for _, k := range views {
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
					k.ID, k.hint(), k.WebsiteID, k.Name, k.state(), minute(&k.CreatedAt), minute(k.LastUsedAt))
			}
		})
	})
}

// keysOf are the keys of one website, or of all.
func keysOf(ctx context.Context, store *db.Store, website siteName) ([]model.Token, error) {
	if website != "" {
		w, err := readWebsite(ctx, store, website)
		if err != nil {
			return nil, err
		}
		return store.Tokens(ctx, w.ID)
	}
	websites, err := store.Websites(ctx, "")
	var all []model.Token
	for _, w := range websites {
		keys, err := store.Tokens(ctx, w.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	return all, err
}

type keyRevokeCmd struct {
	ID identifier `arg:"" help:"Id of the key."`
}

// Run implements the command.
func (c *keyRevokeCmd) Run(ctx context.Context, a *app) error {
	return a.revoke(ctx, model.PrefixWebsiteKey, c.ID, func(store *db.Store) ([]model.Token, error) { return keysOf(ctx, store, "") })
}
