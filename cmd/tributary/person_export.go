package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"tributary/db"
	"tributary/model"
)

type personExportCmd struct {
	personFlags `embed:""`
	Output      string `short:"o" default:"-" placeholder:"FILE" help:"File to write, which must not exist (default: the standard output)."`
}

// Run implements the command.
func (c *personExportCmd) Run(ctx context.Context, a *app) error {
	return c.with(ctx, a, func(store *db.Store, site model.Website, query model.PersonQuery) (err error) {
		out := a.stdout
		if c.Output != "-" {
			file, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("--output: %w", err)
			}
			out = file
			defer func() { err = errors.Join(err, file.Close()) }()
		}
		export := exportWriter{out: bufio.NewWriter(out)}
		err = store.ExportPerson(ctx, site, query, func(person model.Person) error { return export.begin(site, person) }, export.row)
		if err != nil {
			return err
		}
		if export.last == "" {
			a.log.Warn("nothing is kept of this person: see that the identifier is written as it was recorded")
		}
		return export.end()
	})
}

// exportWriter writes a person's rows as they come, as one JSON object that has a list for each table.
type exportWriter struct {
	out  *bufio.Writer
	last string // the table whose list has begun
}

func (w *exportWriter) begin(site model.Website, person model.Person) error {
	head, err := json.Marshal(map[string]any{"website_id": site.ID, "domain": site.Domain, "exported_at": now(), "person": person})
	if err != nil {
		return err
	}
	_, err = w.out.Write(head[:len(head)-1])
	return err
}

func (w *exportWriter) row(table string, row json.RawMessage) error {
	before := ",\n"
	if w.last != table {
		if w.last != "" {
			before = "\n]" + before
		}
		before += fmt.Sprintf("%q: [\n", table)
		w.last = table
	}
	_, err := io.WriteString(w.out, before+string(row))
	return err
}

func (w *exportWriter) end() error {
	after := "}\n"
	if w.last != "" {
		after = "\n]" + after
	}
	_, err := w.out.WriteString(after)
	return errors.Join(err, w.out.Flush())
}
