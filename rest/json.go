package rest

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"tributary/model"
)

// object is a JSON object as it was sent: its values are the tokens of the body, so that nothing of
// them is lost. Its accessors note what is at fault and go on, so that a client hears of all faults
// at once: see err.
type object struct {
	members []member
	keys    map[string]bool // of all members, if they are many
	faults  model.Faults
}

type member struct {
	key   []byte // without escapes
	value []byte // one JSON value
	read  bool   // an accessor asked for it
}

// The members that most objects have at most, and those up to which keys are compared one by one.
const (
	usualMembers = 8
	fewMembers   = 16
)

// parseObject takes a body apart that must be exactly one JSON object. Errors: CodeInvalidJSON if
// it is not, or holds invalid Unicode; CodeDuplicateField.
func parseObject(body []byte) (*object, error) {
	s := scanner{text: body}
	if !utf8.Valid(body) {
		s.failUnicode()
	}
	o, twice := &object{members: make([]member, 0, usualMembers)}, false
	s.space()
	s.need('{')
	for first := true; !s.sign('}') && s.err == nil; first = false {
		if !first {
			s.need(',')
		}
		if key, value := s.key(), s.value(); s.err == nil && !twice {
			twice = !o.add(unquote(key), value)
		}
	}
	switch {
	case s.err == nil && s.at < len(body):
		s.failSyntax()
	case s.err == nil && twice:
		return nil, model.Errorf(model.CodeDuplicateField, "", "a key of the body stands twice")
	}
	return o, s.err
}

// add adds a member; false if there is one of the same key.
func (o *object) add(key, value []byte) bool {
	if len(o.members) == fewMembers {
		o.keys = make(map[string]bool)
		for _, m := range o.members {
			o.keys[string(m.key)] = true
		}
	}
	if o.keys == nil {
		if slices.ContainsFunc(o.members, func(m member) bool { return bytes.Equal(m.key, key) }) {
			return false
		}
	} else if o.keys[string(key)] {
		return false
	} else {
		o.keys[string(key)] = true
	}
	o.members = append(o.members, member{key: key, value: value})
	return true
}

// find is the value of a key; nil if it is absent or null.
func (o *object) find(key string) []byte {
	for i := range o.members {
		if m := &o.members[i]; string(m.key) == key {
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
	return new(string(unquote(value)))
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

// requiredName reads a string that must be there and name something.
func (o *object) requiredName(key string) string {
	if string(o.find(key)) == `""` {
		o.fault(key, model.CodeInvalidField, "must not be empty")
		return ""
	}
	return o.requiredText(key)
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
	t, err := model.ParseTimestamp(string(unquote(value)))
	o.faults.Add(key, err)
	return &t
}

// object reads an optional object; nil if it is absent, or cannot be read.
func (o *object) object(key string, otherType model.Code) *object {
	value := o.find(key)
	if value == nil {
		return nil
	}
	if value[0] != '{' {
		o.fault(key, otherType, "must be a JSON object")
		return nil
	}
	inner, err := parseObject(value)
	if err != nil {
		o.faults.Add(key, err)
		return nil
	}
	return inner
}

// metadata reads an optional object of primitive values.
func (o *object) metadata(key string) model.Metadata {
	attributes := o.object(key, model.CodeInvalidMetadata)
	if attributes == nil {
		return nil
	}
	m, err := attributes.left()
	o.faults.Add(key, err)
	return m
}

// left are the members that no accessor asked for, as metadata.
func (o *object) left() (model.Metadata, error) {
	m := model.Metadata{}
	for i := range o.members {
		if o.members[i].read {
			continue
		}
		o.members[i].read = true
		if err := m.Set(string(o.members[i].key), primitive(o.members[i].value)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// primitive is the value of a token as metadata has it. Objects and arrays stay tokens, which metadata
// refuses.
func primitive(token []byte) any {
	switch token[0] {
	case '"':
		return string(unquote(token))
	case 't', 'f':
		return token[0] == 't'
	case 'n':
		return nil
	case '{', '[':
		return token
	}
	return json.Number(token)
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
			keys = append(keys, string(m.key))
		}
	}
	return keys
}
