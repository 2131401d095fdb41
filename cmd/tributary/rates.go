package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"tributary/db"
	"tributary/internal/rates"
	"tributary/model"
)

type ratesCmd struct {
	Import ratesImportCmd `cmd:"" help:"Import exchange rates, and convert the payments that waited for them."`
	List   ratesListCmd   `cmd:"" help:"Show what rates there are, and which payments wait for others."`
}

type ratesImportCmd struct {
	From   string `arg:"" name:"file" help:"File or web address (http, https) of rates; - is the standard input. The European Central Bank's XML and CSV, also zipped, or a CSV of date,currency,per_euro,source."`
	Source string `placeholder:"NAME" help:"Who published the rates, for the payments that are converted by them (default: as the file says)."`
}

// ratesView is the answer of rates import.
type ratesView struct {
	Rates      int              `json:"rates"`
	Days       int              `json:"days"`
	First      string           `json:"first"`
	Last       string           `json:"last"`
	Currencies []model.Currency `json:"currencies"`
	New        int              `json:"new"`
	Unchanged  int              `json:"unchanged"`
	Replaced   int              `json:"replaced"`
	Skipped    map[string]int   `json:"skipped"` // by code
	conversionView
}

// Run implements the command.
func (c *ratesImportCmd) Run(ctx context.Context, a *app) error {
	data, err := c.read(ctx)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", c.name(), err)
	}
	file, err := rates.Parse(data, c.Source)
	if err != nil {
		return fmt.Errorf("nothing was imported from %s: %w", c.name(), err)
	}
	return a.withStore(ctx, func(store *db.Store) error {
		done, err := store.ImportRates(ctx, file.Rates, true, now())
		if err != nil {
			return err
		}
		view := newRatesView(file, done)
		if view.conversionView, err = a.convert(ctx, store, ""); err != nil {
			return fmt.Errorf("the rates were imported, but not all payments converted; run the command again to go on: %w", err)
		}
		return a.print(view, view.write)
	})
}

func (c *ratesImportCmd) read(ctx context.Context) ([]byte, error) {
	if c.From == "-" {
		return rates.Read(os.Stdin)
	}
	if address, err := url.Parse(c.From); err == nil && (address.Scheme == "http" || address.Scheme == "https") {
		return rates.Fetch(ctx, c.From)
	}
	file, err := os.Open(c.From)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return rates.Read(file)
}

// name is where the rates are from, without what an address may hide.
func (c *ratesImportCmd) name() string {
	if c.From == "-" {
		return "the standard input"
	}
	if address, err := url.Parse(c.From); err == nil {
		return address.Redacted()
	}
	return c.From
}

func newRatesView(file rates.File, done model.RateImport) ratesView {
	days, currencies := map[string]bool{}, map[model.Currency]bool{}
	for _, r := range file.Rates {
		days[r.Date.String()] = true
		currencies[r.Currency] = true
	}
	sorted := append(slices.Sorted(maps.Keys(days)), "")
	skipped := file.Skipped
	if skipped == nil {
		skipped = map[string]int{}
	}
	return ratesView{
		Rates: len(file.Rates), Days: len(days), First: sorted[0], Last: sorted[max(0, len(days)-1)],
		Currencies: append([]model.Currency{}, slices.Sorted(maps.Keys(currencies))...),
		New:        done.New, Unchanged: done.Unchanged, Replaced: done.Different, Skipped: skipped,
	}
}

func (v ratesView) write(out io.Writer) {
	fmt.Fprintf(out, "Read %s of %s and %s", count(v.Rates, "rate"), count(v.Days, "day"), count(len(v.Currencies), "currency"))
	if v.Rates > 0 {
		fmt.Fprintf(out, ", %s", period(v.First, v.Last))
	}
	fmt.Fprintf(out, ": %d new, %d known, %d replaced.\n", v.New, v.Unchanged, v.Replaced)
	if len(v.Skipped) > 0 {
		fmt.Fprintf(out, "Skipped what money cannot be paid in any more: %s.\n", strings.Join(slices.Sorted(maps.Keys(v.Skipped)), ", "))
	}
	if v.Replaced > 0 {
		fmt.Fprintln(out, "Payments that were converted by rates which were replaced keep their amounts.")
	}
	v.conversionView.write(out)
}

// count is a number of things, for people.
func count(n int, of string) string {
	switch {
	case n == 1:
		return "1 " + of
	case strings.HasSuffix(of, "y") && of != "day":
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(of, "y"))
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// period is a stretch of days, for people.
func period(first, last string) string {
	if first == last {
		return first
	}
	return first + " to " + last
}

type ratesListCmd struct{}

// Run implements the command.
func (c *ratesListCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		known, err := store.Rates(ctx)
		if err != nil {
			return err
		}
		waiting, err := store.Waiting(ctx)
		if err != nil {
			return err
		}
		views := make([]rateSummaryView, len(known))
		for i, s := range known {
			views[i] = rateSummaryView{s.Source, s.First.String(), s.Last.String(), s.Days, s.Rates, s.Currencies}
		}
		waits := newWaitingViews(waiting)
		return a.print(map[string]any{"rates": views, "waiting": waits}, func(out io.Writer) {
			if len(views) == 0 {
				fmt.Fprintln(out, "There are no exchange rates yet: "+howToGetRates+".")
			} else {
				fmt.Fprintln(out, "SOURCE\tFROM\tTO\tDAYS\tRATES\tCURRENCIES")
			}
			for _, v := range views {
				fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%d\t%d\n", v.Source, v.First, v.Last, v.Days, v.Rates, len(v.Currencies))
			}
			writeWaiting(out, waits)
		})
	})
}

type rateSummaryView struct {
	Source     string           `json:"source"`
	First      string           `json:"first"`
	Last       string           `json:"last"`
	Days       int              `json:"days"`
	Rates      int              `json:"rates"`
	Currencies []model.Currency `json:"currencies"`
}
