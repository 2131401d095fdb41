package db

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// quiet is what keeps values, such as e-mails, out of the log of an operator's Postgres: statements have them in their
// text. A superuser sets it, or a role that was granted to; docs/OPERATIONS.md says what others need.
var quiet = [][2]string{
	{"log_statement", "none"},
	{"log_min_error_statement", "panic"},
	{"log_min_duration_statement", "-1"},
	{"log_min_duration_sample", "-1"},
	{"log_transaction_sample_rate", "0"},
	{"log_error_verbosity", "terse"},        // without "Key (email)=(…) already exists"
	{"log_min_messages", "log"},             // without errors, which can quote a value, and which we are told
	{"auto_explain.log_min_duration", "-1"}, // a plan has the values of its conditions
}

// grantsSet is the first version of Postgres that lets others than superusers set these.
const grantsSet = 15

// keepQuiet sets up a new connection. One that may not set anything is good all the same.
func keepQuiet(ctx context.Context, conn *pgx.Conn) error {
	pg := conn.PgConn()
	may := "has_parameter_privilege(name, 'SET')"
	if pg.ParameterStatus("is_superuser") == "on" {
		may = "true"
	} else if major(pg.ParameterStatus("server_version")) < grantsSet {
		return nil
	}
	values := make([]string, len(quiet))
	for i, setting := range quiet {
		values[i] = fmt.Sprintf("('%s', '%s')", setting[0], setting[1])
	}
	err := pg.Exec(ctx, "SELECT set_config(name, value, false) FROM (VALUES "+strings.Join(values, ", ")+") AS quiet (name, value) WHERE "+may).Close()
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && !pg.IsClosed() {
		return nil
	}
	return err
}

// major is the number that a version such as "15.14 (Debian 15.14-0+deb12u1)" or "18beta1" begins with.
func major(version string) int {
	digits := len(version) - len(strings.TrimLeft(version, "0123456789"))
	n, _ := strconv.Atoi(version[:digits]) // 0 for a version that says nothing
	return n
}
