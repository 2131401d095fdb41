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
	Timezone zone     `placeholder:"ZONE" help:"IANA time zone that the website's days are counted in: those of all its payments."`
	Currency money    `placeholder:"CODE" help:"ISO 4217 code of the currency that totals are reported in. All payments are converted to it, by the rates of their days."`
}

// Validate refuses a command that changes nothing.
func (c *websiteSetCmd) Validate() error {
	if c.Currency == "" && c.Timezone == "" {
		return errors.New("nothing to change: give --timezone or --currency")
	}
	return nil
}

// Run implements the command.
func (c *websiteSetCmd) Run(ctx context.Context, a *app) error {
	var converted *conversionView
	change := func(store *db.Store, id string) error {
		if c.Timezone != "" {
			if err := store.SetTimezone(ctx, id, string(c.Timezone)); err != nil {
				return err
			}
		}
		if c.Currency == "" {
			return nil
		}
		if err := store.SetCurrency(ctx, id, model.Currency(c.Currency)); err != nil {
			return err
		}
		view, err := a.convert(ctx, store, id)
		if ctx.Err() != nil {
			return errors.New("interrupted: the website reports in the currency, but not all of its payments are converted to it; the same command goes on, and so does the next start of the server")
		}
		if err != nil {
			return fmt.Errorf("the website reports in the currency, but not all of its payments are converted to it; the same command goes on: %w", err)
		}
		converted = &view
		return nil
	}
	w, err := a.changeWebsite(ctx, c.Website, change)
	if err != nil {
		return err
	}
	view := struct {
		websiteView
		*conversionView
	}{newWebsiteView(w), converted}
	return a.print(view, func(out io.Writer) {
		if c.Timezone != "" {
			fmt.Fprintf(out, "The website %s counts its days in %s.\n", w.Domain, w.Timezone)
		}
		if converted != nil {
			fmt.Fprintf(out, "The website %s reports in %s.\n", w.Domain, w.Currency)
			converted.write(out)
		}
	})
}
