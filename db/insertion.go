package db

import (
	"bytes"
	"reflect"

	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"
)

// fewRows is up to how many rows are written as VALUES.
const fewRows = 4

// insertion is an INSERT of rows, of which no two are the same; a query may go on with ON CONFLICT and RETURNING.
// More than a few it writes column by column, as arrays: a list of VALUES is analysed and planned value by value.
// A column that is the same in all rows is then written once. One that is null in all is left out.
func insertion[T any](rows []T) schema.QueryAppender { return insertionOf[T](rows) }

type insertionOf[T any] []T

// AppendQuery implements schema.QueryAppender.
func (rows insertionOf[T]) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	table, sent := gen.Dialect().Tables().Get(reflect.TypeFor[T]()), reflect.ValueOf(rows)
	b = append(append(append(b, "INSERT INTO "...), table.SQLName...), " ("...)
	if len(rows) <= fewRows {
		return appendValues(gen, b, table.Fields, sent), nil
	}
	return appendArrays(gen, b, table.Fields, sent)
}

func appendValues(gen schema.QueryGen, b []byte, fields []*schema.Field, rows reflect.Value) []byte {
	var names []byte
	values := make([][]byte, rows.Len())
	for _, field := range fields {
		if isNull(field, rows) {
			continue
		}
		names = append(separate(names), field.SQLName...)
		for i := range values {
			values[i] = field.AppendValue(gen, separate(values[i]), rows.Index(i))
		}
	}
	return append(append(append(append(b, names...), ") VALUES ("...), bytes.Join(values, []byte("), ("))...), ')')
}

func appendArrays(gen schema.QueryGen, b []byte, fields []*schema.Field, rows reflect.Value) (_ []byte, err error) {
	var names, values, arrays, arrayNames, first []byte
	for _, field := range fields {
		if isNull(field, rows) {
			continue
		}
		names = append(separate(names), field.SQLName...)
		if first = field.AppendValue(gen, first[:0], rows.Index(0)); isSame(gen, field, rows, first) {
			values = append(separate(values), first...)
			continue
		}
		values = append(append(separate(values), "sent."...), field.SQLName...)
		arrayNames = append(separate(arrayNames), field.SQLName...)
		if arrays, err = columnOf(field, rows).AppendQuery(gen, separate(arrays)); err != nil {
			return nil, err
		}
		arrays = append(append(append(arrays, "::"...), sqlType(field)...), "[]"...)
	}
	b = append(append(append(b, names...), ") SELECT "...), values...)
	b = append(append(b, " FROM unnest("...), arrays...)
	return append(append(append(b, ") AS sent ("...), arrayNames...), ')'), nil
}

// separate puts a comma before all but the first of a list.
func separate(list []byte) []byte {
	if len(list) == 0 {
		return list
	}
	return append(list, ", "...)
}

// isNull says whether all of the rows have nothing in a field.
func isNull(field *schema.Field, rows reflect.Value) bool {
	if !field.IsPtr {
		return false
	}
	for i := range rows.Len() {
		if !field.HasNilValue(rows.Index(i)) {
			return false
		}
	}
	return true
}

// isSame says whether all of the rows have in a field what the first one has, as it is written.
func isSame(gen schema.QueryGen, field *schema.Field, rows reflect.Value, first []byte) bool {
	var value []byte
	for i := 1; i < rows.Len(); i++ {
		if value = field.AppendValue(gen, value[:0], rows.Index(i)); !bytes.Equal(value, first) {
			return false
		}
	}
	return true
}

// columnOf is what the rows have in a field.
func columnOf(field *schema.Field, rows reflect.Value) *pgdialect.ArrayValue {
	column := reflect.MakeSlice(reflect.SliceOf(field.StructField.Type), rows.Len(), rows.Len())
	for i := range rows.Len() {
		column.Index(i).Set(field.Value(rows.Index(i)))
	}
	return pgdialect.Array(column.Interface())
}

// jsonText is JSON as a column holds it.
type jsonText string

// sqlType is the type of a field's column.
func sqlType(field *schema.Field) string {
	if field.IndirectType == reflect.TypeFor[jsonText]() {
		return "json"
	}
	return field.UserSQLType
}
