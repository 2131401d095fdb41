package db

import (
	"database/sql/driver"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun/dialect/sqltype"
	"github.com/uptrace/bun/schema"
)

// insertion is an INSERT of rows, of which no two are the same, and what comes after it, such as ON CONFLICT. One row it
// writes value by value; several column by column, as arrays, but for the columns that have always been the same in all
// rows of an insertion. So a table has few such statements, which are the same for whatever number of rows.
func insertion[T any](rows []T, rest ...string) keepable { return insertionOf[T]{rows, rest} }

// differing are the columns of a type of rows that have differed among the rows of an insertion, as a set of bits.
var differing sync.Map // of *atomic.Uint64, by reflect.Type

type insertionOf[T any] struct {
	rows []T
	rest []string
}

// AppendQuery implements schema.QueryAppender.
func (q insertionOf[T]) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	text, args, err := q.kept(gen)
	return appendKept(gen, b, text, args), err
}

func (q insertionOf[T]) kept(gen schema.QueryGen) (string, []any, error) {
	table, rows := gen.Dialect().Tables().Get(reflect.TypeFor[T]()), reflect.ValueOf(q.rows)
	columns, different, err := columnsOf(table, rows)
	if err != nil {
		return "", nil, err
	}
	var args []any
	var names, values, arrays, arrayNames []byte
	for i, field := range table.Fields {
		column := columns[i]
		names = append(separate(names), field.SQLName...)
		if different>>i&1 == 0 {
			args = append(args, column[0])
			values = appendPlaceholder(separate(values), len(args), sqlType(field))
			continue
		}
		args = append(args, column)
		values = append(append(separate(values), "sent."...), field.SQLName...)
		arrays = append(appendPlaceholder(separate(arrays), len(args), sqlType(field)), "[]"...)
		arrayNames = append(separate(arrayNames), field.SQLName...)
	}
	text := append(append(append([]byte("INSERT INTO "), table.SQLName...), " ("...), names...)
	text = append(append(text, ") SELECT "...), values...)
	if arrays != nil {
		text = append(append(append(append(append(text, " FROM unnest("...), arrays...), ") AS sent ("...), arrayNames...), ')')
	}
	for _, rest := range q.rest {
		text = append(append(text, ' '), rest...)
	}
	return string(text), args, nil
}

// separate puts a comma before all but the first of a list.
func separate(list []byte) []byte {
	if len(list) == 0 {
		return list
	}
	return append(list, ", "...)
}

func appendPlaceholder(b []byte, n int, sqlType string) []byte {
	return append(append(strconv.AppendInt(append(b, '$'), int64(n), 10), "::"...), sqlType...)
}

// columnsOf is what the rows have in each field, and which fields have to be arrays.
func columnsOf(table *schema.Table, rows reflect.Value) (columns [][]any, different uint64, err error) {
	columns = make([][]any, len(table.Fields))
	for i, field := range table.Fields {
		column := make([]any, rows.Len())
		for n := range column {
			if column[n], err = argument(field, rows.Index(n)); err != nil {
				return nil, 0, err
			}
			if column[n] != column[0] {
				different |= 1 << i
			}
		}
		columns[i] = column
	}
	if rows.Len() == 1 {
		return columns, 0, nil
	}
	known, _ := differing.LoadOrStore(table.Type, new(atomic.Uint64))
	return columns, different | known.(*atomic.Uint64).Or(different), nil
}

// argument is a field of a row as a statement gets it.
func argument(field *schema.Field, row reflect.Value) (any, error) {
	value := field.Value(row)
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return nil, nil
		}
		value = value.Elem()
	}
	if valuer, ok := value.Interface().(driver.Valuer); ok {
		return valuer.Value()
	}
	if value.Kind() == reflect.String {
		return value.String(), nil
	}
	return value.Interface(), nil
}

// jsonText is JSON as a column holds it.
type jsonText string

// sqlType is the type of a field's column.
func sqlType(field *schema.Field) string {
	switch {
	case field.IndirectType == reflect.TypeFor[jsonText]():
		return "json"
	case field.UserSQLType == sqltype.VarChar:
		return "text"
	}
	return field.UserSQLType
}
