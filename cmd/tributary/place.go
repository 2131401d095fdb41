package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
)

// placeView says where the parts of a running server are.
type placeView struct {
	Version    string    `json:"version"`
	URL        string    `json:"url"`
	Playground string    `json:"playground"`
	Docs       string    `json:"docs"`
	GraphQL    string    `json:"graphql"`
	Payments   string    `json:"payments"`
	DataDir    string    `json:"data_dir"`
	Database   string    `json:"database"` // "local" or "given"
	Websites   int       `json:"websites"`
	Demo       *demoView `json:"demo,omitempty"`
}

// place describes the server that listens on addr.
func (a *app) place(ctx context.Context, d *database, addr net.Addr) (placeView, error) {
	websites, err := d.Websites(ctx, "")
	if err != nil {
		return placeView{}, err
	}
	url := address(addr.String()).url()
	p := placeView{
		Version: version, URL: url, Playground: url + "/playground", Docs: url + "/docs",
		GraphQL: url + "/graphql", Payments: url + "/api/v1/payments",
		DataDir: string(a.DataDir), Database: "given", Websites: len(websites),
	}
	if d.local != nil {
		p.Database = "local"
	}
	return p, nil
}

// write tells a person where everything is.
func (p placeView) write(out io.Writer) {
	database := "the Postgres of --database-url"
	if p.Database == "local" {
		database = "Postgres, in " + p.DataDir
	}
	fmt.Fprintf(out, "\nTributary %s is running.\n\n", p.Version)
	fmt.Fprintf(out, "  Playground\t%s\n  API docs\t%s\n  REST\t%s\n  GraphQL\t%s\n  Database\t%s\n\n",
		p.Playground, p.Docs, p.Payments, p.GraphQL, database)
	switch {
	case p.Demo != nil:
		p.Demo.write(out, p)
	case p.Websites == 0:
		fmt.Fprintf(out, "There is no website yet. This creates one and shows its key, in another terminal:\n\n"+
			"  tributary website create --domain shop.example.com%s\n\n", p.flags())
	}
	fmt.Fprint(out, "Ctrl-C stops the server.\n\n")
}

// flags are those that another command needs to use the same database.
func (p placeView) flags() string {
	if p.Database == "local" {
		return " --data-dir " + quote(p.DataDir)
	}
	return " --database-url …"
}

// quote makes a text one word of a shell.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
