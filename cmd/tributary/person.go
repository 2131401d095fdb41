package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tributary/db"
	"tributary/model"
)

type personCmd struct {
	Erase  personEraseCmd  `cmd:"" help:"Forget a person: delete what identifies, with visits and events. The payments stay, as nobody's, and no total changes."`
	Export personExportCmd `cmd:"" help:"Write all that is kept of a person, as JSON."`
	Scrub  personScrubCmd  `cmd:"" help:"Remove from the database's files what was erased from its tables."`
}

// personFlags name a person of a website by one identifier.
type personFlags struct {
	Website  siteName `required:"" placeholder:"SITE" help:"Id or domain of the website."`
	Email    *string  `xor:"person" placeholder:"ADDRESS" help:"The person's e-mail address, in any letter case: this, --customer or --visitor."`
	Customer *string  `xor:"person" placeholder:"ID" help:"The person's customer id in the payment system, or the user id of identify."`
	Visitor  *string  `xor:"person" placeholder:"ID" help:"The id of a visitor, as in its cookie, who is the person."`
	Only     bool     `help:"Only what carries this identifier itself, not what the same payments lead to: several people share it."`
}

// AfterApply refuses what cannot be an identifier, and to go without. The grammar does not: its usage would ask for all
// three.
func (f *personFlags) AfterApply() error {
	if f.Email == nil && f.Customer == nil && f.Visitor == nil {
		return errors.New("missing flag: --email, --customer or --visitor")
	}
	_, err := f.query()
	return err
}

// query is the question about the person.
func (f *personFlags) query() (model.PersonQuery, error) {
	person, err := model.PersonSelector{Email: f.Email, CustomerID: f.Customer, VisitorID: f.Visitor}.Validate()
	if fault := model.AsError(err); fault != nil {
		flag := map[string]string{"email": "--email: ", "customerId": "--customer: ", "visitorId": "--visitor: "}[fault.Field]
		err = errors.New(flag + fault.Message)
	}
	return model.PersonQuery{Person: person, Only: f.Only}, err
}

// with does something about the person on the store.
func (f *personFlags) with(ctx context.Context, a *app, do func(store *db.Store, site model.Website, query model.PersonQuery) error) error {
	query, err := f.query()
	if err != nil {
		return err
	}
	return a.withStore(ctx, func(store *db.Store) error {
		site, err := readWebsite(ctx, store, f.Website)
		if err != nil {
			return err
		}
		return do(store, site, query)
	})
}

type personEraseCmd struct {
	personFlags `embed:""`
	DryRun      bool `xor:"sure" help:"Show who is found and what would be erased, and erase nothing: this or --yes."`
	Yes         bool `xor:"sure" help:"Erase. It cannot be undone."`
}

// AfterApply refuses what does not say whom to erase, or whether to.
func (c *personEraseCmd) AfterApply() error {
	if err := c.personFlags.AfterApply(); err != nil {
		return err
	}
	if !c.DryRun && !c.Yes {
		return errors.New("missing flag: --dry-run, which shows what would be erased, or --yes, which erases it")
	}
	return nil
}

// erasureView is what was erased, or would be.
type erasureView struct {
	ID             *string       `json:"id"` // in the audit; null of a dry run
	WebsiteID      string        `json:"website_id"`
	DryRun         bool          `json:"dry_run"`
	Person         *model.Person `json:"person,omitempty"` // of a dry run only: it is to be forgotten
	Emails         int           `json:"emails"`
	CustomerIDs    int           `json:"customer_ids"`
	VisitorIDs     int           `json:"visitor_ids"`
	Payments       int           `json:"payments"`
	OthersPayments int           `json:"others_payments"`
	Visits         int           `json:"visits"`
	Events         int           `json:"events"`
	Unproven       int           `json:"unproven"`
}

// Run implements the command.
func (c *personEraseCmd) Run(ctx context.Context, a *app) error {
	return c.with(ctx, a, func(store *db.Store, site model.Website, query model.PersonQuery) error {
		p, err := store.ErasePerson(ctx, site, "", model.Erasure{PersonQuery: query, DryRun: c.DryRun}, now())
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted: some of it may be erased; the same command goes on, and so does the next start of the server")
		case err != nil:
			return err
		}
		if !c.DryRun {
			if err := a.scrub(ctx, store, false); err != nil {
				return fmt.Errorf("the person is forgotten, but the database's files may hold what was deleted until `tributary person scrub` has run: %w", err)
			}
		}
		view := erasureView{
			ID: p.ID, WebsiteID: site.ID, DryRun: p.DryRun, Emails: p.Emails(), CustomerIDs: p.CustomerIDs(), VisitorIDs: p.VisitorIDs(),
			Payments: p.Payments, OthersPayments: p.OthersPayments, Visits: p.Visits, Events: p.Events, Unproven: p.Unproven,
		}
		if p.DryRun {
			view.Person = &p.Person
		}
		return a.print(view, view.write)
	})
}

func (v erasureView) write(out io.Writer) {
	says := "Forgot %s, %s and %s:\n"
	if v.DryRun {
		says = "Would forget %s, %s and %s:\n"
	}
	fmt.Fprintf(out, says, count(v.Emails, "e-mail"), count(v.CustomerIDs, "customer id"), count(v.VisitorIDs, "visitor"))
	if v.Person != nil {
		for _, one := range []struct {
			kind   string
			values []string
		}{{"E-mail", v.Person.Emails}, {"Customer", v.Person.CustomerIDs}, {"Visitor", v.Person.VisitorIDs}} {
			for _, value := range one.values {
				fmt.Fprintf(out, "  %s\t%s\n", one.kind, value)
			}
		}
	}
	fmt.Fprintf(out, "  %s\tanonymous\n  %s\tdeleted\n  %s\tdeleted\n",
		count(v.Payments, "payment"), count(v.Visits, "visit"), count(v.Events, "event"))
	if v.OthersPayments > 0 {
		fmt.Fprintf(out, "  %s of others\twithout their visitor, who is the same\n", count(v.OthersPayments, "payment"))
	}
	if v.Unproven > 0 {
		fmt.Fprintf(out, "Only a page has said that %s of payments %s the person's: these payments stay as they are.\n",
			count(v.Unproven, "further e-mail or customer id"), map[bool]string{true: "is", false: "are"}[v.Unproven == 1])
	}
	if v.Payments+v.OthersPayments+v.Visits+v.Events == 0 {
		fmt.Fprintln(out, "No payment, visit or event is theirs: see that the identifier is written as it was recorded.")
	}
	if v.ID != nil {
		fmt.Fprintf(out, "This erasure is %s: note it if you will have to prove it.\n", *v.ID)
	}
}

type personScrubCmd struct {
	Rewrite bool `help:"Write the tables anew, so that no byte stays in the free space of their files. Nothing can be recorded or read meanwhile."`
}

// Run implements the command.
func (c *personScrubCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		if err := a.scrub(ctx, store, c.Rewrite); err != nil {
			return err
		}
		left := "the tables and indexes. Bytes of it may be in free space of their files: --rewrite removes these too."
		if c.Rewrite {
			left = "the files of the tables and indexes."
		}
		return a.print(map[string]any{"rewritten": c.Rewrite}, func(out io.Writer) { fmt.Fprintln(out, "Nothing that was erased is left in "+left) })
	})
}

func (a *app) scrub(ctx context.Context, store *db.Store, rewrite bool) error {
	return store.Scrub(ctx, rewrite, func(table string) { a.log.Debug("scrubbing", "table", table) })
}

// finishErasures ends, beside the server, erasures that were interrupted. The answer ends that.
func (a *app) finishErasures(ctx context.Context, store *db.Store) (stop func()) {
	return beside(ctx, func(ctx context.Context) {
		websites, err := store.Websites(ctx, "")
		for _, w := range websites {
			n := 0
			if err == nil {
				n, err = store.FinishErasures(ctx, w, now())
			}
			if n > 0 {
				a.log.Info("finished erasing people, which had been interrupted", "website", w.Domain, "people", n)
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.Warn("a person whose erasure was interrupted is not forgotten yet; the next start goes on", "error", err)
		}
	})
}
