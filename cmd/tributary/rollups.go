package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tributary/db"
	"tributary/model"
)

type rollupsCmd struct {
	Verify  rollupsVerifyCmd  `cmd:"" help:"Compare the sums that reports read with all payments, to the minor unit. The exit code is 1 if they differ."`
	Rebuild rollupsRebuildCmd `cmd:"" help:"Compute the sums that reports read from all payments again, beside a running server."`
}

type rollupsVerifyCmd struct {
	Website siteName `arg:"" optional:"" help:"Id or domain of a website (default: all)."`
}

// rollupsView is what is found about a website's rollups.
type rollupsView struct {
	WebsiteID string       `json:"website_id"`
	Domain    string       `json:"domain"`
	Complete  bool         `json:"complete"`
	Compared  int          `json:"compared"`
	Wrong     int          `json:"wrong"`
	Faults    []rollupView `json:"faults"` // some of those that are wrong
}

type rollupView struct {
	Of     string `json:"of"`
	Kept   string `json:"kept"`
	Ledger string `json:"ledger"`
}

// errRollups ends a command that found sums which are wrong.
var errRollups = errors.New("rollups are not what the payments add up to; `tributary rollups rebuild` mends them, and please report how it came to that")

// Run implements the command.
func (c *rollupsVerifyCmd) Run(ctx context.Context, a *app) error {
	wrong := 0
	err := a.eachWebsite(ctx, c.Website, func(store *db.Store, w model.Website) (rollupsView, error) {
		a.log.Info("comparing the rollups with all payments", "website", w.Domain)
		check, err := store.VerifyRollups(ctx, w.ID)
		view := newRollupsView(w, check)
		wrong += view.Wrong
		return view, err
	})
	if err == nil && wrong > 0 {
		return errRollups
	}
	return err
}

func newRollupsView(w model.Website, check model.RollupCheck) rollupsView {
	view := rollupsView{w.ID, w.Domain, check.IsComplete, check.Compared, len(check.Faults) + check.Others, []rollupView{}}
	for _, f := range check.Faults {
		view.Faults = append(view.Faults, rollupView(f))
	}
	return view
}

func (v rollupsView) write(out io.Writer) {
	state := ""
	if !v.Complete {
		state = " (they are still being built; reports read the payments)"
	}
	fmt.Fprintf(out, "%s\t%s compared, %d wrong%s\n", v.Domain, count(v.Compared, "sum"), v.Wrong, state)
	for _, f := range v.Faults {
		fmt.Fprintf(out, "  %s\tkept: %s\tpayments: %s\n", f.Of, orNothing(f.Kept), orNothing(f.Ledger))
	}
	if more := v.Wrong - len(v.Faults); more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
}

func orNothing(sums string) string {
	if sums == "" {
		return "nothing"
	}
	return sums
}

type rollupsRebuildCmd struct {
	Website siteName `arg:"" optional:"" help:"Id or domain of a website (default: all)."`
}

// Run implements the command.
func (c *rollupsRebuildCmd) Run(ctx context.Context, a *app) error {
	return a.eachWebsite(ctx, c.Website, func(store *db.Store, w model.Website) (rollupsView, error) {
		err := store.RebuildRollups(ctx, w.ID, a.rollupProgress(w))
		if ctx.Err() != nil {
			return rollupsView{}, errors.New("interrupted: until they are built, reports read the payments; the next start of the server goes on")
		}
		if err != nil {
			return rollupsView{}, fmt.Errorf("the rollups of %s are not complete; the next start of the server goes on: %w", w.Domain, err)
		}
		check, err := store.VerifyRollups(ctx, w.ID)
		return newRollupsView(w, check), err
	})
}

// eachWebsite does something with the rollups of one website, or of all, and shows what came of it.
func (a *app) eachWebsite(ctx context.Context, name siteName, do func(store *db.Store, w model.Website) (rollupsView, error)) error {
	return a.withStore(ctx, func(store *db.Store) error {
		websites, err := store.Websites(ctx, "")
		if err != nil {
			return err
		}
		if name != "" {
			w, err := readWebsite(ctx, store, name)
			if err != nil {
				return err
			}
			websites = []model.Website{w}
		}
		views := []rollupsView{}
		for _, w := range websites {
			view, err := do(store, w)
			if err != nil {
				return err
			}
			views = append(views, view)
		}
		return a.print(map[string]any{"websites": views}, func(out io.Writer) {
			for _, view := range views {
				view.write(out)
			}
		})
	})
}

// rollupProgress says from time to time how far the rollups of a website are.
func (a *app) rollupProgress(w model.Website) func(model.RollupProgress) {
	said := time.Now()
	return func(p model.RollupProgress) {
		if time.Since(said) >= progressEvery {
			said = time.Now()
			if p.Visitor == "" {
				a.log.Info("adding up payments", "website", w.Domain, "until", p.Until.Format(time.DateOnly))
			} else {
				a.log.Info("adding up what visitors brought", "website", w.Domain, "until", p.Visitor)
			}
		}
	}
}

// buildRollups adds up, beside the server, what was recorded before there were rollups. The answer ends that.
func (a *app) buildRollups(ctx context.Context, store *db.Store) (stop func()) {
	return beside(ctx, func(ctx context.Context) {
		websites, err := store.Websites(ctx, "")
		for _, w := range websites {
			if err == nil {
				err = store.BuildRollups(ctx, w.ID, a.rollupProgress(w))
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("not all payments could be added up; until the next start goes on, reports read the payments themselves, which takes longer", "error", err)
		}
	})
}
