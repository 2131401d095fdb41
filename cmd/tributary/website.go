package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tributary/db"
	"tributary/internal/tracker"
	"tributary/model"
)

type websiteCmd struct {
	Create   websiteCreateCmd   `cmd:"" help:"Add a website and its first key, which is shown only this once."`
	List     websiteListCmd     `cmd:"" help:"List the websites."`
	Allow    websiteAllowCmd    `cmd:"" help:"Accept events of pages on further hosts, with their subdomains."`
	Disallow websiteDisallowCmd `cmd:"" help:"No longer accept events of pages on further hosts."`
	Set      websiteSetCmd      `cmd:"" help:"Change the time zone of a website, or the currency that it reports in."`
	Suspend  websiteSuspendCmd  `cmd:"" help:"Refuse all writes to a website; reading stays possible."`
	Resume   websiteResumeCmd   `cmd:"" help:"Accept writes to a suspended website again."`
}

type websiteCreateCmd struct {
	Domain   hostname   `required:"" placeholder:"D" help:"Host name of the website, such as shop.example.com."`
	Hostname []hostname `placeholder:"H" help:"Further host whose pages may send events, with its subdomains; localhost for a page under development; repeatable."`
	Name     title      `placeholder:"N" help:"Name for people (default: the domain)."`
	Timezone zone       `default:"UTC" placeholder:"ZONE" help:"IANA time zone that the website's days are counted in (default: ${default})."`
	Currency money      `default:"USD" placeholder:"CODE" help:"ISO 4217 code of the currency that totals are reported in (default: ${default})."`
	Account  identifier `placeholder:"ID" help:"Account that owns the website (default: the oldest)."`
	Listen   address    `default:"${listen}" hidden:"" help:"Address of the server, for what is shown."`
}

// createdWebsite is the answer of website create.
type createdWebsite struct {
	ID         string         `json:"id"`
	TrackingID string         `json:"tracking_id"`
	Domain     string         `json:"domain"`
	Hostnames  []string       `json:"hostnames"`
	Name       string         `json:"name"`
	Timezone   string         `json:"timezone"`
	Currency   model.Currency `json:"currency"`
	Key        string         `json:"key"`

	server string // URL
}

// Run implements the command.
func (c *websiteCreateCmd) Run(ctx context.Context, a *app) error {
	w := model.Website{
		AccountID: string(c.Account), Domain: string(c.Domain), Hostnames: texts(c.Hostname), Name: string(c.Name),
		Timezone: string(c.Timezone), Currency: model.Currency(c.Currency), CreatedAt: now(),
	}
	if w.Name == "" {
		w.Name = w.Domain
	}
	return a.withStore(ctx, func(store *db.Store) error {
		same, err := websitesOf(ctx, store, w.Domain)
		if err != nil {
			return err
		}
		w, err := store.CreateWebsite(ctx, w)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			a.log.Warn("another website has the same domain; `tributary website list` shows both", "id", same[0].ID)
		}
		_, secret, err := createKey(ctx, store, w.ID, "")
		if err != nil {
			return fmt.Errorf("the website %s was created, but not its key: `tributary key create --website %s` makes one: %w", w.ID, w.ID, err)
		}
		created := createdWebsite{w.ID, w.TrackingID, w.Domain, w.Hostnames, w.Name, w.Timezone, w.Currency, secret, c.Listen.url()}
		return a.print(created, created.write)
	})
}

func (w createdWebsite) write(out io.Writer) {
	fmt.Fprintf(out, "Created the website %s.\n\n", w.Domain)
	fmt.Fprintf(out, "  id\t%s\n  tracking id\t%s\n  name\t%s\n  time zone\t%s\n  currency\t%s\n  key\t%s\n\n",
		w.ID, w.TrackingID, w.Name, w.Timezone, w.Currency, w.Key)
	fmt.Fprintf(out, "Put this into the head of its pages, with the address at which browsers reach the server:\n\n  %s\n\n",
		trackerElement(w.TrackingID, w.Domain, w.Hostnames, w.server))
	amount := "29.99"
	if w.Currency.Exponent() == 0 {
		amount = "2999"
	}
	fmt.Fprintf(out, "Keep the key now: it is not shown again. Send it with every request:\n\n"+
		"  export TRIBUTARY_KEY=…  # the key\n"+
		"  curl %s/api/v1/payments \\\n"+
		"    -H \"Authorization: Bearer $TRIBUTARY_KEY\" -H 'Content-Type: application/json' \\\n"+
		"    -d '{\"amount\": %s, \"currency\": \"%s\", \"transaction_id\": \"payment_1\", \"datafast_visitor_id\": \"VISITOR_ID\"}'\n\n"+
		"`tributary serve` runs the server that answers.\n", w.server, amount, w.Currency)
}

// trackerElement is what the pages of a website include, so that the tracker counts those on its further hosts
// too.
func trackerElement(trackingID, domain string, hostnames []string, server string) string {
	attributes := ""
	hosts := append([]string{domain}, hostnames...)
	if slices.Contains(hosts, "localhost") {
		attributes += " data-allow-localhost"
	}
	hosts = slices.DeleteFunc(hosts, func(host string) bool { return host == "localhost" })
	if len(hosts) > 1 {
		attributes += ` data-allowed-hostnames="` + strings.Join(hosts, ",") + `"`
	}
	return fmt.Sprintf(`<script defer data-website-id="%s" data-domain="%s"%s src="%s%s"></script>`,
		trackingID, domain, attributes, server, tracker.Path)
}

// websiteView is a website as commands show it.
type websiteView struct {
	ID         string         `json:"id"`
	TrackingID string         `json:"tracking_id"`
	AccountID  string         `json:"account_id"`
	Domain     string         `json:"domain"`
	Hostnames  []string       `json:"hostnames"`
	Name       string         `json:"name"`
	Timezone   string         `json:"timezone"`
	Currency   model.Currency `json:"currency"`
	Suspended  bool           `json:"suspended"`
	CreatedAt  time.Time      `json:"created_at"`
}

func newWebsiteView(w model.Website) websiteView {
	return websiteView{w.ID, w.TrackingID, w.AccountID, w.Domain, w.Hostnames, w.Name, w.Timezone, w.Currency, w.Suspended, w.CreatedAt}
}

type websiteListCmd struct {
	Account identifier `placeholder:"ID" help:"Only the websites of this account."`
}

// Run implements the command.
func (c *websiteListCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		websites, err := store.Websites(ctx, string(c.Account))
		if err != nil {
			return err
		}
		views := make([]websiteView, len(websites))
		for i, w := range websites {
			views[i] = newWebsiteView(w)
		}
		return a.print(map[string]any{"websites": views}, func(out io.Writer) {
			if len(views) == 0 {
				fmt.Fprintln(out, "There is no website yet: `tributary website create --domain shop.example.com` makes one.")
				return
			}
			fmt.Fprintln(out, "ID\tTRACKING ID\tDOMAIN\tNAME\tTIME ZONE\tCURRENCY\tSTATE\tACCOUNT")
			for _, w := range views {
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
					w.ID, w.TrackingID, w.Domain, w.Name, w.Timezone, w.Currency, w.state(), w.AccountID)
			}
		})
	})
}

func (w websiteView) state() string {
	if w.Suspended {
		return "suspended"
	}
	return "active"
}

type websiteSuspendCmd struct {
	Website siteName `arg:"" help:"Id or domain of the website."`
}

// Run implements the command.
func (c *websiteSuspendCmd) Run(ctx context.Context, a *app) error {
	return a.setSuspended(ctx, c.Website, true, "The website %s is suspended: writes to it are refused. `tributary website resume %s` ends that.\n")
}

type websiteResumeCmd struct {
	Website siteName `arg:"" help:"Id or domain of the website."`
}

// Run implements the command.
func (c *websiteResumeCmd) Run(ctx context.Context, a *app) error {
	return a.setSuspended(ctx, c.Website, false, "The website %[1]s accepts writes.\n")
}

func (a *app) setSuspended(ctx context.Context, name siteName, suspended bool, message string) error {
	w, err := a.changeWebsite(ctx, name, func(store *db.Store, id string) error {
		return store.SuspendWebsite(ctx, id, suspended)
	})
	if err != nil {
		return err
	}
	return a.print(newWebsiteView(w), func(out io.Writer) { fmt.Fprintf(out, message, w.Domain, w.ID) })
}

// changeWebsite changes a website and, when every server has noticed, answers what it is.
func (a *app) changeWebsite(ctx context.Context, name siteName, change func(store *db.Store, id string) error) (w model.Website, err error) {
	err = a.withStore(ctx, func(store *db.Store) error {
		id, err := findWebsite(ctx, store, name)
		if err != nil {
			return err
		}
		if err := change(store, id); err != nil {
			return err
		}
		untilNoticed(ctx)
		w, err = store.Website(ctx, id)
		return err
	})
	return w, err
}

// findWebsite is the id of the website with an id or a domain. An unknown id is left for its use to find out.
func findWebsite(ctx context.Context, store *db.Store, name siteName) (string, error) {
	if isID(string(name)) {
		return string(name), nil
	}
	found, err := websitesOf(ctx, store, string(name))
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", model.ErrWebsiteNotFound()
	case len(found) > 1:
		return "", errors.New("several websites have this domain: say which by its id; `tributary website list` shows all")
	}
	return found[0].ID, nil
}

// readWebsite is the website that an operator names. Errors: those of findWebsite, and model.ErrWebsiteNotFound.
func readWebsite(ctx context.Context, store *db.Store, name siteName) (model.Website, error) {
	id, err := findWebsite(ctx, store, name)
	if err != nil {
		return model.Website{}, err
	}
	return store.Website(ctx, id)
}

// websitesOf are the websites with a domain, oldest first.
func websitesOf(ctx context.Context, store *db.Store, domain string) ([]model.Website, error) {
	websites, err := store.Websites(ctx, "")
	return slices.DeleteFunc(websites, func(w model.Website) bool { return w.Domain != domain }), err
}

// chooseWebsite is the id of the website that the operator names, else of the only one that there is.
func chooseWebsite(ctx context.Context, store *db.Store, named siteName) (string, error) {
	if named != "" {
		return findWebsite(ctx, store, named)
	}
	websites, err := store.Websites(ctx, "")
	switch {
	case err != nil:
		return "", err
	case len(websites) == 0:
		return "", errors.New("there is no website yet: `tributary website create --domain shop.example.com` makes one")
	case len(websites) > 1:
		return "", errors.New("there are several websites: say which by --website; `tributary website list` shows all")
	}
	return websites[0].ID, nil
}
