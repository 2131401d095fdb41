package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"tributary/model"
)

// SQLSTATE codes and classes, from appendix A of the Postgres manual.
const (
	stateDeadlock      = "40P01"
	stateSerialization = "40001"
	stateUnique        = "23505"
	stateLockTimeout   = "55P03"
	stateReadOnly      = "25006"
	stateCanceled      = "57014"
	stateTerminated    = "57P01"
	stateSilent        = "25P03" // a transaction was ended that waited for its next statement
	stateSyntax        = "42601"
	stateUnsupported   = "0A000" // also a kept statement whose columns have other types by now
	stateUnprepared    = "26000" // a kept statement that somebody else has dropped
	classConnection    = "08"
	classData          = "22"
	classResources     = "53"
	classOperator      = "57"
	classSystem        = "58"
)

// violations says what the violation of a constraint means to a client.
var violations = map[string]func() error{
	"websites_account_id_fkey": func() error { return model.Errorf(model.CodeInvalidField, "account", "no such account") },
	"tokens_website_id_fkey":   model.ErrWebsiteNotFound,
	"tokens_account_id_fkey":   func() error { return model.Errorf(model.CodeInvalidField, "account", "no such account") },
}

// isRetryable says whether the transaction did nothing and may be run again.
func isRetryable(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errNotAlone) || errors.Is(err, errKeptTooLong) ||
		errors.As(err, &pg) && (pg.Code == stateDeadlock || pg.Code == stateSerialization || isConflict(pg))
}

// The name of a constraint in a message, and what Citus appends to it.
var (
	namedConstraint = regexp.MustCompile(`constraint "([^"]+)"`)
	shardSuffix     = regexp.MustCompile(`_\d+$`)
)

// violated is the name of the constraint that was violated, or "". Citus passes on the message of another machine
// without the name, which there ends with the number of a shard.
func violated(pg *pgconn.PgError) string {
	name := pg.ConstraintName
	if found := namedConstraint.FindStringSubmatch(pg.Message); name == "" && found != nil {
		name = found[1]
	}
	return shardSuffix.ReplaceAllString(name, "")
}

// isConflict says whether a transaction met an entry that it had not seen.
func isConflict(pg *pgconn.PgError) bool {
	return pg.Code == stateUnique && violated(pg) == "payments_website_transaction_key"
}

// isLost says whether the connection to Postgres is gone, so that what was not committed is undone.
func isLost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == stateTerminated || pg.Code == stateSilent
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, pgconn.ErrConnClosed)
}

// translate turns what Postgres and its driver say into model's errors. An error that it does not
// know stays as it is, to be logged and masked.
func translate(err error) error {
	var pg *pgconn.PgError
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case err == nil, model.AsError(err) != nil:
		return err
	case errors.As(err, &pg):
		return translateState(pg, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded) && !errors.As(err, &connect):
		return &unavailableError{shown: errTooLong, cause: err}
	case errors.Is(err, errNotAlone), errors.Is(err, context.Canceled),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, pgconn.ErrConnClosed), errors.As(err, &network), errors.As(err, &connect), isPoolClosed(err):
		return &unavailableError{shown: unavailable("the database cannot answer now; try again"), cause: err}
	}
	return err
}

// isPoolClosed says whether the store has been closed. The error is known by its text alone, since
// database/sql does not export it.
func isPoolClosed(err error) bool { return strings.Contains(err.Error(), "sql: database is closed") }

func translateState(pg *pgconn.PgError, err error) error {
	if meaning, ok := violations[violated(pg)]; ok {
		return meaning()
	}
	switch {
	case pg.Code == stateCanceled:
		return &unavailableError{shown: errTooLong, cause: err}
	case isConflict(pg), pg.Code == stateDeadlock, pg.Code == stateSerialization, pg.Code == stateLockTimeout,
		pg.Code == stateReadOnly, pg.Code == stateSilent,
		strings.HasPrefix(pg.Code, classConnection), strings.HasPrefix(pg.Code, classResources),
		strings.HasPrefix(pg.Code, classOperator), strings.HasPrefix(pg.Code, classSystem):
		return &unavailableError{shown: unavailable("the database cannot answer now; try again"), cause: err}
	case strings.HasPrefix(pg.Code, classData), pg.Code == stateSyntax:
		return fmt.Errorf("the database refused a value or a statement (SQLSTATE %s), and may quote it in its message", pg.Code)
	}
	return err
}

// errTooLong is for what was ended by a time limit.
var errTooLong = unavailable("this took too long; try again, or ask for less at once, such as a shorter range")

func unavailable(message string) *model.Error {
	return model.Errorf(model.CodeUnavailable, "", "%s", message)
}

// unavailableError keeps the cause for the log, apart from what a client sees.
type unavailableError struct {
	shown *model.Error
	cause error
}

func (e *unavailableError) Error() string   { return e.shown.Error() + ": " + e.cause.Error() }
func (e *unavailableError) Unwrap() []error { return []error{e.shown, e.cause} }
