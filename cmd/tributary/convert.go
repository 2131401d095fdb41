package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"tributary/db"
	"tributary/internal/rates"
	"tributary/model"
)

// howToGetRates is what to do about payments that wait for a rate.
const howToGetRates = "`tributary rates import FILE` reads them, `tributary serve --rates ecb` fetches them daily"

// progressEvery is how often a command says how far it is.
const progressEvery = 2 * time.Second

// conversionView says how many payments a command has converted, and which ones wait on.
type conversionView struct {
	Converted int           `json:"converted"`
	Waiting   []waitingView `json:"waiting"`
}

// keepRates converts, beside the server, the payments that wait, and keeps the rates fresh if the flags say
// so. The answer ends that.
func (a *app) keepRates(ctx context.Context, c *serveCmd, store *db.Store) (stop func()) {
	return beside(ctx, func(ctx context.Context) {
		n, err := rates.Convert(ctx, store, nil)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Warn("not all payments that wait could be converted; `tributary rates import` and the next start go on", "error", err)
		case n > 0:
			a.log.Info("converted payments that waited", "payments", n)
		}
		if c.Rates == ratesECB {
			refresher := rates.Refresher{Store: store, Folder: string(c.RatesURL), Now: now, Wait: wait, Log: a.log}
			refresher.Run(ctx)
		}
	})
}

// ratesECB is the choice of the European Central Bank's rates.
const ratesECB = "ecb"

// waitingView are payments of a website in one currency that no known rate converts.
type waitingView struct {
	WebsiteID string         `json:"website_id"`
	Domain    string         `json:"domain"`
	Currency  model.Currency `json:"currency"`
	Reporting model.Currency `json:"reporting_currency"`
	Payments  int            `json:"payments"`
	First     string         `json:"first"` // dates in the website's time zone
	Last      string         `json:"last"`
}

// convert converts the payments that wait, of one website or of all, and says how far it is.
func (a *app) convert(ctx context.Context, store *db.Store, website string) (conversionView, error) {
	said := time.Now()
	progress := func(p model.ConversionProgress) {
		if time.Since(said) >= progressEvery {
			said = time.Now()
			a.log.Info("converting payments", "seen", p.Payments, "until", p.Until.Format(time.DateOnly))
		}
	}
	view := conversionView{Waiting: []waitingView{}}
	var err error
	if website == "" {
		view.Converted, err = rates.Convert(ctx, store, progress)
	} else {
		view.Converted, err = store.ConvertPayments(ctx, website, progress)
	}
	if err != nil {
		return view, err
	}
	waiting, err := store.Waiting(ctx)
	for _, v := range newWaitingViews(waiting) {
		if website == "" || v.WebsiteID == website {
			view.Waiting = append(view.Waiting, v)
		}
	}
	return view, err
}

func newWaitingViews(waiting []model.WaitingPayments) []waitingView {
	views := make([]waitingView, len(waiting))
	for i, w := range waiting {
		views[i] = waitingView{w.WebsiteID, w.Domain, w.Currency, w.Reporting, w.Payments, w.First.String(), w.Last.String()}
	}
	return views
}

func (v conversionView) write(out io.Writer) {
	fmt.Fprintf(out, "Converted %s that waited.\n", count(v.Converted, "payment"))
	writeWaiting(out, v.Waiting)
}

// writeWaiting says which payments wait for a rate, and what to do.
func writeWaiting(out io.Writer, waiting []waitingView) {
	if len(waiting) == 0 {
		return
	}
	fmt.Fprintln(out, "\nThese payments wait for a rate and stand in `unconverted`:")
	for _, w := range waiting {
		fmt.Fprintf(out, "  %s\t%s to %s\t%s\t%s\n", w.Domain, w.Currency, w.Reporting, count(w.Payments, "payment"),
			period(w.First, w.Last))
	}
	fmt.Fprintln(out, "They need rates of both currencies for their own day, or for one of the 7 before it: "+howToGetRates+".")
}
