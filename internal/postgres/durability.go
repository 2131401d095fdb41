package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrNotDurable is returned by CheckDurability when the database can lose what it has acknowledged.
var ErrNotDurable = errors.New("the database can lose committed data")

// durableSettings must not be off, or a crash loses commits (fsync, synchronous_commit) or leaves torn pages
// (full_page_writes).
var durableSettings = []string{"fsync", "full_page_writes", "synchronous_commit"}

// CheckDurability asks the database at dsn, Tributary's own or any other, whether a commit that it acknowledges
// is on disk. The settings are read in a session like those of the application, so that values set for
// the role or the database count too. It returns ErrNotDurable with the settings at fault and how to
// change them, or the error of the connection.
//
// Some hosted databases keep fsync or full_page_writes off because their storage does that work: callers may
// want to make ErrNotDurable a warning for those who know.
func CheckDurability(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("check that the database keeps what it commits: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `
		SELECT name, source IN ('database', 'user', 'database user')
		FROM pg_settings WHERE name = ANY($1) AND setting = 'off' ORDER BY name`, durableSettings)
	if err != nil {
		return fmt.Errorf("check that the database keeps what it commits: %w", err)
	}
	var faults []string
	var name string
	var bySession bool
	_, err = pgx.ForEachRow(rows, []any{&name, &bySession}, func() error {
		fix := fmt.Sprintf("ALTER SYSTEM SET %s = on; SELECT pg_reload_conf();", name)
		if bySession {
			fix = fmt.Sprintf("ALTER DATABASE … RESET %s; ALTER ROLE … RESET %s;", name, name)
		}
		faults = append(faults, fmt.Sprintf("%s is off; as a superuser run: %s", name, fix))
		return nil
	})
	if err != nil {
		return fmt.Errorf("check that the database keeps what it commits: %w", err)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w: %s", ErrNotDurable, strings.Join(faults, "; "))
	}
	return nil
}
