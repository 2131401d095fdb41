package db

import (
	"context"

	"github.com/uptrace/bun"
)

// statistics is where Postgres keeps samples of the values of all columns.
const statistics = "pg_catalog.pg_statistic"

// Scrub removes from the files of the database what was deleted from the tables that keep something of people, and
// takes new samples for the planner, which holds some values of its own. Recording goes on beside it. Postgres
// then finds nothing of it any more, but its bytes may stay in the free space of a page until something is written there:
// rewrite has each table written anew, and nobody can use it meanwhile. Before each table it calls begin.
func (s *Store) Scrub(ctx context.Context, rewrite bool, begin func(table string)) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	if _, err := conn.ExecContext(ctx, "SET statement_timeout = 0"); err != nil {
		return translate(err)
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "RESET statement_timeout") }()
	for _, table := range personal {
		begin(table.Table)
		how := bun.Safe("ANALYZE")
		if rewrite {
			how = "FULL, ANALYZE"
		}
		if _, err := conn.NewRaw("VACUUM (?) ?", how, bun.Ident(table.Table)).Exec(ctx); err != nil {
			return translate(err)
		}
	}
	begin(statistics)
	how := bun.Safe("ANALYZE false")
	if rewrite {
		how = "FULL"
	}
	_, err = conn.NewRaw("VACUUM (?) ?", how, bun.Safe(statistics)).Exec(ctx)
	return translate(err)
}
