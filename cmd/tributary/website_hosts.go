package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"tributary/db"
)

type websiteAllowCmd struct {
	Website  siteName   `arg:"" help:"Id or domain of the website."`
	Hostname []hostname `arg:"" help:"Hosts such as staging.example.com; localhost for a page under development."`
}

// Run implements the command.
func (c *websiteAllowCmd) Run(ctx context.Context, a *app) error {
	return a.changeHostnames(ctx, c.Website, func(hostnames []string) []string {
		for _, name := range texts(c.Hostname) {
			if !slices.Contains(hostnames, name) {
				hostnames = append(hostnames, name)
			}
		}
		return hostnames
	})
}

type websiteDisallowCmd struct {
	Website  siteName   `arg:"" help:"Id or domain of the website."`
	Hostname []hostname `arg:"" help:"Hosts that were allowed."`
}

// Run implements the command.
func (c *websiteDisallowCmd) Run(ctx context.Context, a *app) error {
	return a.changeHostnames(ctx, c.Website, func(hostnames []string) []string {
		return slices.DeleteFunc(hostnames, func(name string) bool { return slices.Contains(texts(c.Hostname), name) })
	})
}

func (a *app) changeHostnames(ctx context.Context, name siteName, change func(hostnames []string) []string) error {
	return a.withStore(ctx, func(store *db.Store) error {
		id, err := findWebsite(ctx, store, name)
		if err != nil {
			return err
		}
		if err := store.ChangeHostnames(ctx, id, change); err != nil {
			return err
		}
		untilNoticed(ctx)
		w, err := store.Website(ctx, id)
		if err != nil {
			return err
		}
		return a.print(newWebsiteView(w), func(out io.Writer) {
			fmt.Fprintf(out, "Events of pages on these hosts and their subdomains are accepted: %s.\n", strings.Join(append([]string{w.Domain}, w.Hostnames...), ", "))
		})
	})
}

// texts are the names of hosts.
func texts(names []hostname) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = string(name)
	}
	return all
}
