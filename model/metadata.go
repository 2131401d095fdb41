package model

import (
	"bytes"
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// Metadata is what a client attaches to a payment: at most 10 attributes whose values are string,
// bool, nil or json.Number. Nil means that none was sent.
type Metadata map[string]any

// The limits of metadata. Exponents are bounded so that no store has to write out the zeros.
const (
	maxAttributes       = 10
	maxAttributeKey     = 64  // characters
	maxAttributeString  = 255 // characters
	maxAttributeNumber  = 64  // bytes
	maxMetadataExponent = 400
)

// ParseMetadata reads metadata as it is kept: a JSON object, or null for nil. Errors: CodeInvalidMetadata,
// as Validate has it.
func ParseMetadata(raw []byte) (Metadata, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var m Metadata
	if err := dec.Decode(&m); err != nil {
		return nil, Errorf(CodeInvalidMetadata, "", "must be a JSON object")
	}
	return m, m.Validate()
}

// Set adds an attribute, or replaces its value. Errors: CodeInvalidMetadata, as Validate has it.
func (m Metadata) Set(key string, value any) error {
	m[key] = value
	return m.checkAttribute(key)
}

// Validate checks the limits: at most 10 attributes, keys of 1 to 64 characters, strings of at most
// 255 characters, both valid UTF-8 without NUL, and JSON numbers of at most 64 bytes and an
// exponent within ±400. Error: CodeInvalidMetadata.
func (m Metadata) Validate() error {
	for key := range m {
		if err := m.checkAttribute(key); err != nil {
			return err
		}
	}
	return nil
}

// checkAttribute checks one attribute, and that there are not too many.
func (m Metadata) checkAttribute(key string) error {
	if len(m) > maxAttributes {
		return Errorf(CodeInvalidMetadata, "", "must have at most %d attributes", maxAttributes)
	}
	if n := utf8.RuneCountInString(key); n < 1 || n > maxAttributeKey || !isText(key) {
		return Errorf(CodeInvalidMetadata, "", "keys must have 1 to %d characters of valid UTF-8 without NUL", maxAttributeKey)
	}
	switch value := m[key].(type) {
	case nil, bool:
		return nil
	case string:
		if utf8.RuneCountInString(value) > maxAttributeString || !isText(value) {
			return Errorf(CodeInvalidMetadata, "", "strings must have at most %d characters of valid UTF-8 without NUL", maxAttributeString)
		}
		return nil
	case json.Number:
		n, ok := scanNumber(value.String())
		if !ok || len(value) > maxAttributeNumber || n.exponent > maxMetadataExponent || n.exponent < -maxMetadataExponent {
			return Errorf(CodeInvalidMetadata, "", "numbers must be JSON numbers of at most %d characters and an exponent within ±%d",
				maxAttributeNumber, maxMetadataExponent)
		}
		return nil
	}
	return Errorf(CodeInvalidMetadata, "", "values must be strings, numbers, booleans or null")
}

// Equal says whether both have the same attributes. Numbers are compared by value, since a database
// may write 1e2 as 100; having none equals having no attributes.
func (m Metadata) Equal(other Metadata) bool {
	if len(m) != len(other) {
		return false
	}
	for key, a := range m {
		b, ok := other[key]
		if !ok || !equalValues(a, b) {
			return false
		}
	}
	return true
}

func equalValues(a, b any) bool {
	x, isNumber := a.(json.Number)
	y, both := b.(json.Number)
	if !isNumber || !both {
		return reflect.DeepEqual(a, b)
	}
	m, ok := scanNumber(x.String())
	n, both := scanNumber(y.String())
	if !ok || !both {
		return x == y
	}
	return m == n
}
