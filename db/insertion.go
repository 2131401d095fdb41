package db

import (
	"bytes"
	"reflect"

	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"
)

// insertion is an INSERT of rows, of which there is at least one; a query may go on with ON CONFLICT and
// RETURNING. It writes the rows column by column, as arrays: a list of VALUES is analysed and planned value by
// value. A column that is the same in all rows is written once, and one that is null in all is left out.
func insertion[T any](rows []T) schema.QueryAppender { return insertionOf[T](rows) }

type insertionOf[T any] []T

// AppendQuery implements schema.QueryAppender.
func (rows insertionOf[T]) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	table := gen.Dialect().Tables().Get(reflect.TypeFor[T]())
	sent := reflect.ValueOf(rows)
	var names, values, arrays, arrayNames, first []byte
	var err error
	for _, field := range table.Fields {
		first = field.AppendValue(gen, first[:0], sent.Index(0))
		isVarying := varies(gen, field, sent, first)
		if !isVarying && string(first) == "NULL" {
			continue
		}
		names = append(separate(names), field.SQLName...)
		if !isVarying {
			values = append(separate(values), first...)
			continue
		}
		values = append(append(separate(values), "sent."...), field.SQLName...)
		arrayNames = append(separate(arrayNames), field.SQLName...)
		if arrays, err = columnOf(field, sent).AppendQuery(gen, separate(arrays)); err != nil {
			return nil, err
		}
		arrays = append(append(append(arrays, "::"...), sqlType(field)...), "[]"...)
	}
	b = append(append(append(b, "INSERT INTO "...), table.SQLName...), " ("...)
	b = append(append(append(b, names...), ") SELECT "...), values...)
	if len(arrays) > 0 {
		b = append(append(b, " FROM unnest("...), arrays...)
		b = append(append(append(b, ") AS sent ("...), arrayNames...), ')')
	}
	return b, nil
}

// separate puts a comma before all but the first of a list.
func separate(list []byte) []byte {
	if len(list) == 0 {
		return list
	}
	return append(list, ", "...)
}

// varies says whether not all of the rows have in a field what the first one has, as it is written.
func varies(gen schema.QueryGen, field *schema.Field, rows reflect.Value, first []byte) bool {
	var value []byte
	for i := 1; i < rows.Len(); i++ {
		if value = field.AppendValue(gen, value[:0], rows.Index(i)); !bytes.Equal(value, first) {
			return true
		}
	}
	return false
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
