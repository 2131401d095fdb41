package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tributary/db"
	"tributary/model"
)

type websiteSetCmd struct {
	Website  siteName `arg:"" help:"Id or domain of the website."`
	Currency money    `placeholder:"CODE" help:"ISO 4217 code of the currency that totals are reported in. All payments are converted to it, by the rates of their days."`
}

// Validate refuses a command that changes nothing.
func (c *websiteSetCmd) Validate() error {
	if c.Currency == "" {
		return errors.New("nothing to change: give --currency")
	}
	return nil
}

// Run implements the command.
func (c *websiteSetCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		id, err := findWebsite(ctx, store, c.Website)
		if err != nil {
			return err
		}
		if err := store.SetCurrency(ctx, id, model.Currency(c.Currency)); err != nil {
			return err
		}
		var view struct {
			websiteView
			conversionView
		}
		view.conversionView, err = a.convert(ctx, store, id)
		if ctx.Err() != nil {
			return errors.New("interrupted: the website reports in the currency, but not all of its payments are converted to it; the same command goes on, and so does the next start of the server")
		}
		if err != nil {
			return fmt.Errorf("the website reports in the currency, but not all of its payments are converted to it; the same command goes on: %w", err)
		}
		untilNoticed(ctx)
		w, err := store.Website(ctx, id)
		if err != nil {
			return err
		}
		view.websiteView = newWebsiteView(w)
		return a.print(view, func(out io.Writer) {
			fmt.Fprintf(out, "The website %s reports in %s.\n", w.Domain, w.Currency)
			view.conversionView.write(out)
		})
	})
}
