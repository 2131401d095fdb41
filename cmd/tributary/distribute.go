package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tributary/db"
)

type distributeCmd struct{}

// howToGetCitus is what to do about a database without the extension.
const howToGetCitus = "install Citus on every machine of the cluster, run CREATE EXTENSION citus in this database on each, " +
	"name the others to the one that --database-url leads to with citus_add_node, and run this again; docs/SCALE.md says when that is worth it"

// distributionView is what became of a table.
type distributionView struct {
	Table  string `json:"table"`
	Column string `json:"column,omitempty"` // by which it is distributed; none of a reference table
	New    bool   `json:"new"`
}

func (v distributionView) String() string {
	text := "a copy on every machine"
	if v.Column != "" {
		text = "by " + v.Column
	}
	if !v.New {
		text += ", as before"
	}
	return text
}

// Run implements the command.
func (c *distributeCmd) Run(ctx context.Context, a *app) error {
	return a.withStore(ctx, func(store *db.Store) error {
		views := []distributionView{}
		err := store.Distribute(ctx, func(d db.Distribution, isNew bool) {
			views = append(views, distributionView{d.Table, d.Column, isNew})
			a.log.Debug("distributed", "table", d.Table, "new", isNew)
		})
		switch {
		case errors.Is(err, db.ErrNoCitus):
			return fmt.Errorf("%w: %s", db.ErrNoCitus, howToGetCitus)
		case err != nil:
			return fmt.Errorf("%d of %d tables are distributed, and the others as they were: %w", len(views), len(db.Distributions()), err)
		}
		return a.print(map[string]any{"tables": views}, func(out io.Writer) {
			fmt.Fprintln(out, "TABLE\tDISTRIBUTED")
			for _, v := range views {
				fmt.Fprintf(out, "%s\t%s\n", v.Table, v)
			}
		})
	})
}
