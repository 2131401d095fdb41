package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"tributary/db"
	"tributary/model"
)

type accountCmd struct {
	Create accountCreateCmd `cmd:"" help:"Add an account. The first website makes one by itself: only operators with several owners need more."`
	List   accountListCmd   `cmd:"" help:"List the accounts."`
	Limit  accountLimitCmd  `cmd:"" help:"Set how many payments, pageviews and other events an account may record a month."`
}

type accountCreateCmd struct {
	Name       title `required:"" placeholder:"N" help:"Name for people."`
	EventLimit limit `default:"0" placeholder:"EVENTS" help:"Payments, pageviews and other events that it may record a month; 0 means any number (default: ${default})."`
}

// Run implements the command.
func (c *accountCreateCmd) Run(ctx context.Context, a *app) error {
	account := model.Account{Name: string(c.Name), EventLimit: int64(c.EventLimit), CreatedAt: now()}
	return a.withStore(ctx, func(store *db.Store) error {
		account, err := store.CreateAccount(ctx, account)
		if err != nil {
			return err
		}
		return a.print(newAccountView(account), func(out io.Writer) {
			fmt.Fprintf(out, "Created the account %s. `tributary website create --account %s --domain D` adds a website to it.\n", account.ID, account.ID)
		})
	})
}

// accountView is an account as commands show it.
type accountView struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	EventLimit int64     `json:"event_limit"` // a month; 0 means any number
	CreatedAt  time.Time `json:"created_at"`
}

func newAccountView(a model.Account) accountView {
	return accountView{a.ID, a.Name, a.EventLimit, a.CreatedAt}
}

type accountListCmd struct{}

// Run implements the command.
func (c *accountListCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		accounts, err := store.Accounts(ctx)
		if err != nil {
			return err
		}
		views := make([]accountView, len(accounts))
		for i, account := range accounts {
			views[i] = newAccountView(account)
		}
		return a.print(map[string]any{"accounts": views}, func(out io.Writer) {
			if len(views) == 0 {
				fmt.Fprintln(out, "There is no account yet: the first website makes one.")
				return
			}
			fmt.Fprintln(out, "ID\tNAME\tLIMIT A MONTH\tCREATED")
			for _, account := range views {
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", account.ID, account.Name, limit(account.EventLimit), minute(&account.CreatedAt))
			}
		})
	})
}

type accountLimitCmd struct {
	ID     identifier `arg:"" help:"Id of the account."`
	Events limit      `arg:"" help:"Payments, pageviews and other events a month; 0 means any number."`
}

// Run implements the command.
func (c *accountLimitCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		if err := store.LimitAccount(ctx, string(c.ID), int64(c.Events)); err != nil {
			return err
		}
		untilNoticed(ctx)
		return a.print(map[string]any{"id": c.ID, "event_limit": c.Events}, func(out io.Writer) {
			fmt.Fprintf(out, "The account %s may record %s a month.\n", c.ID, c.Events)
		})
	})
}
