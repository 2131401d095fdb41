// Package scalar translates GraphQL's scalars to the types of package model, so that model needs
// to know nothing of GraphQL.
package scalar

import (
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"tributary/model"
)

// maxFloatDigits is how many significant digits a float keeps exactly.
const maxFloatDigits = 15

// MarshalDecimal writes a decimal as a string.
func MarshalDecimal(d model.Decimal) graphql.Marshaler { return graphql.MarshalString(string(d)) }

// UnmarshalDecimal reads a decimal from a string, an integer, or a float of at most 15 significant
// digits. Whether it makes an amount is for the input's Validate to say, so that in a batch only the
// payment at fault is refused.
func UnmarshalDecimal(v any) (model.Decimal, error) {
	switch v := v.(type) {
	case string:
		return model.Decimal(v), nil
	case json.Number:
		return model.Decimal(v.String()), nil
	case int:
		return model.Decimal(strconv.Itoa(v)), nil
	case int64:
		return model.Decimal(strconv.FormatInt(v, 10)), nil
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if digits(text) > maxFloatDigits {
			return "", model.Errorf(model.CodeInvalidAmount, "", "send an amount of more than %d digits as a string", maxFloatDigits)
		}
		return model.Decimal(text), nil
	}
	return "", model.Errorf(model.CodeInvalidAmount, "", "must be a decimal number, best as a string")
}

// digits counts the significant digits of a float in shortest form.
func digits(text string) int {
	n := 0
	for _, c := range text {
		switch {
		case c == 'e':
			return n
		case c >= '1' && c <= '9', c == '0' && n > 0:
			n++
		}
	}
	return n
}

// MarshalCurrency writes a currency code.
func MarshalCurrency(c model.Currency) graphql.Marshaler { return graphql.MarshalString(string(c)) }

// UnmarshalCurrency reads a currency code, which the input's Validate checks. It is never empty: to
// model that means the website's own currency.
func UnmarshalCurrency(v any) (model.Currency, error) {
	s, ok := v.(string)
	if !ok || s == "" {
		return "", model.Errorf(model.CodeInvalidCurrency, "", "must be an ISO 4217 currency code")
	}
	return model.Currency(s), nil
}

// MarshalDateTime writes an instant as RFC 3339 in UTC, to the microsecond where it has one.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.MarshalString(t.UTC().Format("2006-01-02T15:04:05.999999Z"))
}

// UnmarshalDateTime reads an instant with its offset.
func UnmarshalDateTime(v any) (time.Time, error) {
	t, err := UnmarshalTimestamp(v)
	return t.In(time.UTC), err
}

// MarshalTimestamp writes a timestamp as the instant that it is in UTC.
func MarshalTimestamp(t model.Timestamp) graphql.Marshaler { return MarshalDateTime(t.In(time.UTC)) }

// UnmarshalTimestamp reads an RFC 3339 time; the offset is required.
func UnmarshalTimestamp(v any) (model.Timestamp, error) {
	s, ok := v.(string)
	if !ok {
		return model.Timestamp{}, model.Errorf(model.CodeInvalidTimestamp, "", "must be an RFC 3339 time")
	}
	t, err := model.ParseTimestamp(s)
	if err == nil && !t.HasOffset() {
		err = model.Errorf(model.CodeInvalidTimestamp, "", "must be an RFC 3339 time with an offset, such as 2026-05-01T00:00:00Z")
	}
	return t, err
}

// MarshalDate writes a date as ISO 8601 does.
func MarshalDate(d model.Date) graphql.Marshaler { return graphql.MarshalString(d.String()) }

// UnmarshalDate reads a date as ISO 8601 writes it.
func UnmarshalDate(v any) (model.Date, error) {
	s, _ := v.(string)
	return model.ParseDate(s)
}

// MarshalMetadata writes metadata as an object.
func MarshalMetadata(m model.Metadata) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		raw, err := json.Marshal(m)
		if err != nil || m == nil {
			raw = []byte("null")
		}
		_, _ = w.Write(raw)
	})
}

// UnmarshalMetadata reads an object. Its limits are checked by model.Metadata.Validate.
func UnmarshalMetadata(v any) (model.Metadata, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, model.Errorf(model.CodeInvalidMetadata, "", "must be an object")
	}
	m := make(model.Metadata, len(object))
	for key, value := range object {
		switch number := value.(type) {
		case int64:
			value = json.Number(strconv.FormatInt(number, 10))
		case float64:
			value = json.Number(strconv.FormatFloat(number, 'g', -1, 64))
		}
		m[key] = value
	}
	return m, nil
}
