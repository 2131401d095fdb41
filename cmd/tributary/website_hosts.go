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
	Listen   address    `default:"${listen}" hidden:"" help:"Address of the server, for what is shown."`
}

// Run implements the command.
func (c *websiteAllowCmd) Run(ctx context.Context, a *app) error {
	return a.changeHostnames(ctx, c.Website, c.Listen, func(hostnames []string) []string {
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
	Listen   address    `default:"${listen}" hidden:"" help:"Address of the server, for what is shown."`
}

// Run implements the command.
func (c *websiteDisallowCmd) Run(ctx context.Context, a *app) error {
	return a.changeHostnames(ctx, c.Website, c.Listen, func(hostnames []string) []string {
		return slices.DeleteFunc(hostnames, func(name string) bool { return slices.Contains(texts(c.Hostname), name) })
	})
}

func (a *app) changeHostnames(ctx context.Context, name siteName, listen address, change func(hostnames []string) []string) error {
	w, err := a.changeWebsite(ctx, name, func(store *db.Store, id string) error {
		return store.ChangeHostnames(ctx, id, change)
	})
	if err != nil {
		return err
	}
	return a.print(newWebsiteView(w), func(out io.Writer) {
		fmt.Fprintf(out, "Events of pages on these hosts and their subdomains are accepted: %s.\n\n", strings.Join(append([]string{w.Domain}, w.Hostnames...), ", "))
		fmt.Fprintf(out, "The element in its pages that goes with that:\n\n  %s\n", trackerElement(w.TrackingID, w.Domain, w.Hostnames, listen.url()))
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
