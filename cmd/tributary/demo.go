package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tributary/db"
	"tributary/internal/server/pages"
	"tributary/model"
)

// demoView is the demonstration of a running server: a website with data, and a key to try it with.
type demoView struct {
	WebsiteID string `json:"website_id"`
	Key       string `json:"key"`
}

// demo is the demonstration website, which is made if it is not there, with the key of the last start.
// The key is kept in the data directory, since the database only has its hash; if that file is lost,
// another key is made.
func (a *app) demo(ctx context.Context, store *db.Store) (*demoView, error) {
	file := filepath.Join(string(a.DataDir), "demo.json")
	kept, err := readDemo(file)
	if err != nil {
		return nil, err
	}
	if kept != nil && kept.valid(ctx, store) {
		return kept, nil
	}
	website, err := seedDemo(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("create the demo: %w", err)
	}
	_, secret, err := createKey(ctx, store, website, "demo")
	if err != nil {
		return nil, fmt.Errorf("create the demo's key: %w", err)
	}
	made := &demoView{WebsiteID: website, Key: secret}
	return made, made.keep(file)
}

// readDemo reads what the last start kept: nil if it kept nothing that can be read.
func readDemo(file string) (*demoView, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the demo's key: %w", err)
	}
	var kept demoView
	if json.Unmarshal(text, &kept) != nil {
		return nil, nil
	}
	return &kept, nil
}

func (d *demoView) keep(file string) error {
	text, err := json.Marshal(d)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the demo's key: %w", err)
	}
	return nil
}

// valid says whether the key still opens the website, which may be in another database.
func (d *demoView) valid(ctx context.Context, store *db.Store) bool {
	hash, ok := model.HashToken(d.Key)
	if !ok {
		return false
	}
	key, err := store.TokenByHash(ctx, hash, now())
	return err == nil && key.WebsiteID == d.WebsiteID
}

// playground opens with the demo's key, if there is a demo.
func (d *demoView) playground() pages.Playground {
	if d == nil {
		return pages.Playground{}
	}
	return pages.Playground{Key: d.Key}
}

// write shows a person what to try.
func (d *demoView) write(out io.Writer, p placeView) {
	const payment = `{"amount": 29.99, "currency": "USD", "transaction_id": "payment_456"}`
	const query = `{"query": "{ payments(filter: {transactionId: \"payment_456\"}) { edges { node { transactionId kind amount { amount currency } attribution visitor { id firstVisit { source } } } } } }"}`
	headers := "  -H 'Authorization: Bearer " + d.Key + "' -H 'Content-Type: application/json' \\\n"
	fmt.Fprintf(out, "  Demo key\t%s\n\n", d.Key)
	fmt.Fprintf(out, "Record a payment:\n\ncurl %s \\\n%s  -d '%s'\n\n", p.Payments, headers, payment)
	fmt.Fprintf(out, "Ask GraphQL for it:\n\ncurl %s \\\n%s  -d '%s'\n\n", p.GraphQL, headers, query)
}

// quote makes a text one word of a shell.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func seedDemo(ctx context.Context, store *db.Store) (string, error) {
	w, err := store.CreateWebsite(ctx, model.Website{Domain: "demo.example", Name: "Demo", Timezone: "UTC", Currency: "USD", CreatedAt: now()})
	return w.ID, err
}
