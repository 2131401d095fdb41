package main_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// cluster is an operator of a migrated database with a stand-in for Citus, and a connection to it.
func cluster(t *testing.T) (operator, *pgx.Conn) {
	t.Helper()
	op, dsn := onDatabase(t)
	op.run("migrate")
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	standIn, err := os.ReadFile("testdata/citus.sql")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), string(standIn))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "ALTER DATABASE "+pgx.Identifier{conn.Config().Database}.Sanitize()+" SET search_path = public, citus")
	require.NoError(t, err)
	return op, conn
}

// calls are those of the functions of Citus, in order.
func calls(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT call FROM citus.calls ORDER BY n")
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

func change(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), statement)
	require.NoError(t, err)
}

func TestDistribute(t *testing.T) {
	t.Parallel()

	t.Run("without Citus it says what to do", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		o := op.try("distribute")
		require.Equal(t, 1, o.code)
		require.Empty(t, o.stdout)
		require.Contains(t, o.stderr, "the database has no Citus: install Citus on every machine")
		require.Contains(t, o.stderr, "CREATE EXTENSION citus")
		require.NotContains(t, o.stderr, "table accounts")
	})

	t.Run("every table is distributed once, after those that it refers to", func(t *testing.T) {
		t.Parallel()
		op, conn := cluster(t)
		change(t, conn, "INSERT INTO citus.distributed VALUES ('websites', 'local', '<none>', 0)") // as Citus does, since accounts are referred to
		first := op.run("distribute")
		require.Regexp(t, `(?m)^accounts +a copy on every machine$`, first)
		require.Regexp(t, `(?m)^visits +by website_id$`, first)
		want := []string{
			"create_reference_table(accounts)", "create_reference_table(websites)", "create_reference_table(tokens)",
			"create_reference_table(rates)", "create_reference_table(schema_migrations)",
			"create_distributed_table(account_usage, account_id, none)", "create_distributed_table(payments, website_id, none)",
			"create_distributed_table(payment_deletions, website_id, payments)", "create_distributed_table(rollups, website_id, payments)",
			"create_distributed_table(visitor_rollups, website_id, payments)", "create_distributed_table(customers, website_id, payments)",
			"create_distributed_table(visitors, website_id, payments)", "create_distributed_table(visits, website_id, payments)",
			"create_distributed_table(events, website_id, payments)", "create_distributed_table(erasures, website_id, payments)",
		}
		require.Equal(t, want, calls(t, conn))

		again := op.ask("distribute").list("tables")
		require.Len(t, again, len(want))
		for _, table := range again {
			require.Equal(t, false, table["new"], table)
		}
		require.Equal(t, want, calls(t, conn))
		require.Regexp(t, `(?m)^visits +by website_id, as before$`, op.run("distribute"))
	})

	t.Run("it goes on after a failure", func(t *testing.T) {
		t.Parallel()
		op, conn := cluster(t)
		change(t, conn, "INSERT INTO citus.fault VALUES ('customers')")
		o := op.try("distribute")
		require.Equal(t, 1, o.code)
		require.Regexp(t, `10 of \d+ tables are distributed, and the others as they were: table customers: `, o.stderr)
		require.Contains(t, o.stderr, "the machine went away")
		before := calls(t, conn)
		change(t, conn, "DELETE FROM citus.fault")
		op.run("distribute")
		after := calls(t, conn)[len(before):]
		require.Equal(t, "create_distributed_table(customers, website_id, payments)", after[0])
		for _, call := range after {
			require.NotContains(t, before, call)
		}
		for _, table := range op.ask("distribute").list("tables") {
			require.Equal(t, false, table["new"], table)
		}
	})

	for name, c := range map[string]struct{ statement, says string }{
		"distributed otherwise": {
			"INSERT INTO citus.distributed VALUES ('payments', 'distributed', 'id', 7)", "table payments: it must be distributed by website_id, and is something else",
		},
		"a reference table": {
			"INSERT INTO citus.distributed VALUES ('account_usage', 'reference', '<none>', 1)", "table account_usage: it must be distributed by account_id",
		},
		"no reference table": {
			"INSERT INTO citus.distributed VALUES ('tokens', 'distributed', 'website_id', 7)", "table tokens: it must be a reference table",
		},
		"distributed apart from the others": {
			"INSERT INTO citus.distributed VALUES ('visits', 'distributed', 'website_id', 7)", "table visits: it must be distributed by website_id next to payments",
		},
	} {
		t.Run("a table that is "+name+" is left to the operator", func(t *testing.T) {
			t.Parallel()
			op, conn := cluster(t)
			change(t, conn, c.statement)
			o := op.try("distribute")
			require.Equal(t, 1, o.code)
			require.Contains(t, o.stderr, c.says)
			require.Contains(t, o.stderr, "SELECT undistribute_table('")
		})
	}
}
