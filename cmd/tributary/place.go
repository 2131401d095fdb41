package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
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

	database string // for people
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
		p.Database, p.database = "local", "Postgres, in "+p.DataDir
	} else {
		p.database = "Postgres, " + databaseAt(a.DatabaseURL)
	}
	return p, nil
}

// databaseAt names the database of a URL and where it is, without the password.
func databaseAt(url string) string {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return "as --database-url says"
	}
	return cmp.Or(config.Database, config.User) + " at " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}

// write tells a person where everything is.
func (p placeView) write(out io.Writer) {
	fmt.Fprintf(out, "\nTributary %s is running.\n\n", p.Version)
	fmt.Fprintf(out, "  Playground\t%s\n  API docs\t%s\n  REST\t%s\n  GraphQL\t%s\n  Database\t%s\n\n",
		p.Playground, p.Docs, p.Payments, p.GraphQL, p.database)
	switch {
	case p.Demo != nil:
		p.Demo.write(out, p)
	case p.Websites == 0:
		fmt.Fprintf(out, "There is no website yet. This creates one and shows its key, in another terminal:\n\n"+
			"  %s website create --domain shop.example.com%s\n\n", program(), p.flags())
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

// program is what starts this one, also from another directory.
func program() string {
	name := os.Args[0]
	if filepath.Base(name) != name {
		if whole, err := filepath.Abs(name); err == nil {
			name = whole
		}
	}
	return quote(name)
}

// quote makes a text one word of a shell.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
