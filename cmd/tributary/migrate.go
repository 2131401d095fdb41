package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

type migrateCmd struct{}

// Run implements the command.
func (c *migrateCmd) Run(ctx context.Context, a *app) error {
	d, err := a.open(ctx, forCommand)
	if err != nil {
		return err
	}
	applied := append([]string{}, d.applied...)
	err = a.print(map[string]any{"applied": applied}, func(out io.Writer) {
		if len(applied) == 0 {
			fmt.Fprintln(out, "The database is up to date.")
		}
		for _, name := range applied {
			fmt.Fprintln(out, "Applied", name)
		}
	})
	return errors.Join(err, d.close(context.WithoutCancel(ctx)))
}
