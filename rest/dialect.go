package rest

import (
	"bytes"
	"maps"

	"tributary/model"
)

// names maps the inputs' fields, by their GraphQL names, to those that a client of a dialect knows.
// A field that is missing has the same name.
type names map[string]string

// The field names of the two dialects.
var (
	dataFastNames = names{
		"transactionId": "transaction_id",
		"visitorId":     "datafast_visitor_id",
		"sessionId":     "datafast_session_id",
		"customerId":    "customer_id",
		"freeTrial":     "is_free_trial",
		"refundOf":      "refund_of",
		"occurredAt":    "timestamp",
		"from":          "startAt",
		"to":            "endAt",
	}
	fauryaNames = names{
		"transactionId": "transaction_id",
		"visitorId":     "faurya_visitor_id",
		"sessionId":     "faurya_session_id",
		"from":          "startAt",
		"to":            "endAt",
	}
)

// with is n with another spelling of a field: the one that the client used.
func (n names) with(field, spelling string) names {
	if n[field] == spelling {
		return n
	}
	changed := maps.Clone(n)
	changed[field] = spelling
	return changed
}

// of is the client's name of a field.
func (n names) of(field string) string {
	if name, ok := n[field]; ok {
		return name
	}
	return field
}

// field is the field that the client knows by a name.
func (n names) field(name string) string {
	for field, known := range n {
		if known == name {
			return field
		}
	}
	return name
}

// rename is err with the client's names of the fields at fault. An error without fields stays as it is,
// with the cause that the log shows.
func (n names) rename(err error) error {
	e := model.AsError(err)
	if e == nil || e.Field == "" && len(e.Others) == 0 {
		return err
	}
	renamed := *e
	renamed.Field = n.of(e.Field)
	renamed.Others = make([]*model.Error, len(e.Others))
	for i, other := range e.Others {
		o := *other
		o.Field = n.of(other.Field)
		renamed.Others[i] = &o
	}
	return &renamed
}

// isFaurya decides which dialect a payment is written in, by its keys alone. Error:
// CodeConflictingFields if it has keys of both.
func isFaurya(body *object) (bool, error) {
	var dataFast, faurya bool
	for _, m := range body.members {
		dataFast = dataFast || bytes.HasPrefix(m.key, []byte("datafast_"))
		faurya = faurya || bytes.HasPrefix(m.key, []byte("faurya_"))
	}
	if dataFast && faurya {
		return false, model.Errorf(model.CodeConflictingFields, "", "the body mixes fields that start with datafast_ and with faurya_")
	}
	return faurya, nil
}
