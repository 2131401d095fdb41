package rest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"tributary/model"
)

// object is a JSON object as it was sent: its values are the tokens of the body, so that nothing of
// them is lost. Its accessors note what is at fault and go on, so that a client hears of all faults
// at once: see err.
type object struct {
	members []member
	faults  model.Faults
}

type member struct {
	key   string
	value []byte // one JSON value
	read  bool   // an accessor asked for it
}

// parseObject takes a body apart that must be exactly one JSON object. Errors: CodeInvalidJSON if
// it is not, or holds invalid Unicode; CodeDuplicateField.
func parseObject(body []byte) (*object, error) {
	switch {
	case !utf8.Valid(body) || hasLoneSurrogate(body):
		return nil, model.Errorf(model.CodeInvalidJSON, "", "the body is not valid Unicode text")
	case !json.Valid(body):
		return nil, model.Errorf(model.CodeInvalidJSON, "", "the body is not valid JSON: send exactly one JSON object")
	}
	// From here on the grammar is known to be right, so the walk below need not check it.
	rest := skipSpace(body)
	if rest[0] != '{' {
		return nil, model.Errorf(model.CodeInvalidJSON, "", "the body is not a JSON object")
	}
	o := &object{members: make([]member, 0, 16)}
	seen := map[string]bool{}
	for rest = skipSpace(rest[1:]); rest[0] != '}'; rest = skipSpace(rest) {
		var key, value []byte
		key, rest = cutValue(rest)
		rest = skipSpace(rest)[1:] // the colon
		value, rest = cutValue(skipSpace(rest))
		if rest = skipSpace(rest); rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
		name := unquote(key)
		if seen[name] {
			return nil, model.Errorf(model.CodeDuplicateField, "", "a key of the body stands twice")
		}
		seen[name] = true
		o.members = append(o.members, member{key: name, value: value})
	}
	return o, nil
}

// skipSpace cuts the white space of JSON from the front.
func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// cutValue splits valid JSON after the value that it begins with.
func cutValue(b []byte) (value, rest []byte) {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return b[:i+1], b[i+1:]
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return b[:i+1], b[i+1:]
			}
			if depth < 0 { // the end of the object that a number or literal stands in
				return b[:i], b[i:]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return b[:i], b[i:]
			}
		}
	}
	return b, nil
}

// unquote is the text of a valid JSON string.
func unquote(token []byte) string {
	if bytes.IndexByte(token, '\\') < 0 {
		return string(token[1 : len(token)-1])
	}
	var text string
	_ = json.Unmarshal(token, &text) // the token is valid
	return text
}

// hasLoneSurrogate finds \u escapes that are one half of a character. encoding/json puts U+FFFD in
// their place without a word, so that two different ids would become one.
func hasLoneSurrogate(body []byte) bool {
	for {
		i := bytes.IndexByte(body, '\\')
		if i < 0 || i+1 >= len(body) {
			return false
		}
		body = body[i:]
		unit, ok := escapedUnit(body)
		switch {
		case !ok:
			body = body[2:]
		case !utf16.IsSurrogate(unit):
			body = body[6:]
		default:
			second, _ := escapedUnit(body[6:])
			if utf16.DecodeRune(unit, second) == utf8.RuneError {
				return true
			}
			body = body[12:]
		}
	}
}

// escapedUnit is the UTF-16 unit of the \uXXXX that b begins with.
func escapedUnit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(unit), err == nil
}

// find is the value of a key; nil if it is absent or null.
func (o *object) find(key string) []byte {
	for i := range o.members {
		if m := &o.members[i]; m.key == key {
			m.read = true
			if m.value[0] == 'n' {
				return nil
			}
			return m.value
		}
	}
	return nil
}

// text reads an optional string.
func (o *object) text(key string) *string {
	value := o.find(key)
	if value == nil {
		return nil
	}
	if value[0] != '"' {
		o.fault(key, model.CodeInvalidField, "must be a string")
		return nil
	}
	text := unquote(value)
	return &text
}

// requiredText reads a string that must be there.
func (o *object) requiredText(key string) string {
	if o.find(key) == nil {
		o.fault(key, model.CodeMissingField, "is required")
		return ""
	}
	if text := o.text(key); text != nil {
		return *text
	}
	return ""
}

// requiredCurrency reads a currency that must be there. It is for the input's Validate to know it; but
// an empty one would mean the website's currency there.
func (o *object) requiredCurrency(key string) model.Currency {
	value := o.find(key)
	switch {
	case value == nil:
		o.fault(key, model.CodeMissingField, "is required")
	case value[0] != '"':
		o.fault(key, model.CodeInvalidCurrency, "must be a string")
	case len(value) == len(`""`):
		o.fault(key, model.CodeInvalidCurrency, "is empty")
	default:
		return model.Currency(unquote(value))
	}
	return ""
}

// flag reads an optional boolean.
func (o *object) flag(key string) *bool {
	value := o.find(key)
	if value == nil {
		return nil
	}
	if value[0] != 't' && value[0] != 'f' {
		o.fault(key, model.CodeInvalidField, "must be true or false")
		return nil
	}
	flag := value[0] == 't'
	return &flag
}

// requiredAmount reads a number that must be there, digit by digit as it was sent.
func (o *object) requiredAmount(key string) model.Decimal {
	value := o.find(key)
	if value == nil {
		o.fault(key, model.CodeMissingField, "is required")
		return ""
	}
	if value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		o.fault(key, model.CodeInvalidAmount, "must be a number")
		return ""
	}
	amount, err := model.ParseDecimal(string(value))
	o.faults.Add(key, err)
	return amount
}

// timestamp reads an optional time.
func (o *object) timestamp(key string) *model.Timestamp {
	value := o.find(key)
	if value == nil {
		return nil
	}
	if value[0] != '"' {
		o.fault(key, model.CodeInvalidTimestamp, "must be a string with an ISO 8601 time")
		return nil
	}
	t, err := model.ParseTimestamp(unquote(value))
	o.faults.Add(key, err)
	return &t
}

// metadata reads an optional object of primitive values.
func (o *object) metadata(key string) model.Metadata {
	value := o.find(key)
	if value == nil {
		return nil
	}
	m, err := model.ParseMetadata(value)
	o.faults.Add(key, err)
	return m
}

// fault notes a fault of a key.
func (o *object) fault(key string, code model.Code, message string) {
	o.faults.Add(key, model.Errorf(code, key, "%s", message))
}

// err joins the faults that the accessors noted; nil if there were none.
func (o *object) err() error { return o.faults.Err() }

// unread names the keys that no accessor asked for, in the order of the body.
func (o *object) unread() []string {
	var keys []string
	for _, m := range o.members {
		if !m.read {
			keys = append(keys, m.key)
		}
	}
	return keys
}
