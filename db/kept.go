package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/uptrace/bun/schema"
)

// planAge is for how long a connection goes on with the plans it has made. A plan that is made while a table is small
// reads all of it, and so would be wrong for the table that it soon is.
const planAge = time.Second

// KeptText is where the hook of a store finds, in the Stash of an event, the text of a statement that the connection
// keeps: with $1, $2 and so on for its values.
const KeptText = "kept"

// keepable is a query that differs between its calls in values only: parsed and planned, a connection keeps it, and
// gets the values apart. A transaction does so where it queues one; anywhere else it is like any query.
type keepable interface {
	schema.QueryAppender
	// kept is the query with $1, $2 for its arguments, which are what a column of their types may have, or slices of
	// that.
	kept(gen schema.QueryGen) (text string, args []any, err error)
}

// kept is a query with $1, $2 for its arguments, whose text is the same whenever it is called.
func kept(text string, args ...any) keepable { return keptQuery{text, args} }

type keptQuery struct {
	text string
	args []any
}

func (q keptQuery) kept(schema.QueryGen) (string, []any, error) { return q.text, q.args, nil }

// AppendQuery implements schema.QueryAppender.
func (q keptQuery) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	return appendKept(gen, b, q.text, q.args), nil
}

// columns are the columns of a row type, of a table as a query names it. A query that is kept names them: by * it would
// have others as soon as a later version adds some, and fail.
func columns[T any](gen schema.QueryGen, table string) string {
	var b []byte
	for _, field := range gen.Dialect().Tables().Get(reflect.TypeFor[T]()).Fields {
		b = append(append(append(separate(b), table...), '.'), field.SQLName...)
	}
	return string(b)
}

var placeholder = regexp.MustCompile(`\$\d+`)

// appendKept appends a query with its arguments in their places.
func appendKept(gen schema.QueryGen, b []byte, text string, args []any) []byte {
	literals := make(map[string]string, len(args))
	for i, arg := range args {
		literals[fmt.Sprint("$", i+1)] = literal(gen, arg)
	}
	return append(b, placeholder.ReplaceAllStringFunc(text, func(name string) string { return literals[name] })...)
}

func literal(gen schema.QueryGen, arg any) string {
	if arg == nil || reflect.TypeOf(arg).Kind() != reflect.Slice {
		return gen.FormatQuery("?", arg)
	}
	values := reflect.ValueOf(arg)
	literals := make([]string, values.Len())
	for i := range literals {
		literals[i] = gen.FormatQuery("?", values.Index(i).Interface())
	}
	return "ARRAY[" + strings.Join(literals, ", ") + "]"
}

// errKeptTooLong ends a transaction with a kept statement that its tables have changed for; it is tried again with a
// new one.
var errKeptTooLong = errors.New("a kept statement is not valid any more")

// keptStatements are those of one connection.
type keptStatements struct {
	byText    map[string]*pgconn.StatementDescription
	since     time.Time // when the plans that are in use began to be made
	isInvalid bool      // they are to be forgotten
}

// keptKey is where a connection has its keptStatements.
const keptKey = "kept"

func keptBy(pg *pgconn.PgConn) *keptStatements {
	k, ok := pg.CustomData()[keptKey].(*keptStatements)
	if !ok {
		k = &keptStatements{byText: map[string]*pgconn.StatementDescription{}}
		pg.CustomData()[keptKey] = k
	}
	return k
}

// prepare makes sure that the connection has the statements, and says whether it had some of them before.
func (k *keptStatements) prepare(ctx context.Context, pg *pgconn.PgConn, statements []statement) (hadSome bool, err error) {
	if k.isInvalid {
		if err := pg.Exec(ctx, "DEALLOCATE ALL").Close(); err != nil {
			return false, err
		}
		clear(k.byText)
		k.isInvalid = false
	}
	for _, s := range statements {
		switch {
		case !s.isKept:
		case k.byText[s.text] != nil:
			hadSome = true
		default:
			described, err := pg.Prepare(ctx, fmt.Sprint("kept", len(k.byText)), s.text, nil)
			if err != nil {
				k.isInvalid = true // Postgres may have it all the same
				return false, err
			}
			k.byText[s.text] = described
		}
	}
	return hadSome, nil
}

// encode gives the arguments of statements the form in which they are sent.
func (k *keptStatements) encode(types *pgtype.Map, statements []statement) ([][][]byte, error) {
	all := make([][][]byte, len(statements))
	for n, s := range statements {
		all[n] = make([][]byte, len(s.args))
		for i, arg := range s.args {
			var err error
			if all[n][i], err = types.Encode(k.byText[s.text].ParamOIDs[i], pgtype.TextFormatCode, arg, []byte{}); err != nil {
				return nil, fmt.Errorf("argument %d of %s: %w", i+1, s.text, err)
			}
		}
	}
	return all, nil
}

// send sends statements in one message. It says how many answers come before theirs.
func (k *keptStatements) send(pipeline *pgconn.Pipeline, statements []statement, args [][][]byte) (before int, err error) {
	if now := time.Now(); now.Sub(k.since) > planAge {
		pipeline.SendQueryParams("DISCARD PLANS", nil, nil, nil, nil)
		k.since, before = now, 1
	}
	for n, s := range statements {
		if s.isKept {
			pipeline.SendQueryPrepared(k.byText[s.text].Name, args[n], nil, nil)
		} else {
			pipeline.SendQueryParams(s.text, nil, nil, nil, nil)
		}
	}
	return before, pipeline.Sync()
}

// check has the statements forgotten if that is what an error of a message asks for.
func (k *keptStatements) check(err error, hadSome bool) error {
	var failed *pgconn.PgError
	if hadSome && errors.As(err, &failed) && (failed.Code == stateUnsupported || failed.Code == stateUnprepared) {
		k.isInvalid = true
		return fmt.Errorf("%w: %w", errKeptTooLong, err)
	}
	return err
}
