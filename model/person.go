package model

import (
	"encoding/json"
	"slices"
)

// Person is somebody whom a website knows by identifiers: all that lead to the same payer, or only some.
type Person struct {
	Emails      []string `json:"emails"` // folded
	CustomerIDs []string `json:"customer_ids"`
	VisitorIDs  []string `json:"visitor_ids"`
}

// MarshalJSON implements json.Marshaler. What there is none of is an empty list and not null, of which SQL cannot list the
// elements.
func (p Person) MarshalJSON() ([]byte, error) {
	type plain Person
	for _, list := range []*[]string{&p.Emails, &p.CustomerIDs, &p.VisitorIDs} {
		if *list == nil {
			*list = []string{}
		}
	}
	return json.Marshal(plain(p))
}

// MaxIdentifiers is how many identifiers a person has at most. More are those of several people who share one of
// them, such as an address that a shop enters for everybody.
const MaxIdentifiers = 100

// Size is how many identifiers there are.
func (p Person) Size() int { return len(p.Emails) + len(p.CustomerIDs) + len(p.VisitorIDs) }

// Shares says whether both have an identifier in common.
func (p Person) Shares(other Person) bool {
	return overlap(p.Emails, other.Emails) || overlap(p.CustomerIDs, other.CustomerIDs) || overlap(p.VisitorIDs, other.VisitorIDs)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(value string) bool { return slices.Contains(b, value) })
}

// With is the person with the identifiers of another besides, each once and in order.
func (p Person) With(other Person) Person {
	union := func(a, b []string) []string {
		all := append(slices.Clone(a), b...)
		slices.Sort(all)
		return slices.Compact(all)
	}
	return Person{union(p.Emails, other.Emails), union(p.CustomerIDs, other.CustomerIDs), union(p.VisitorIDs, other.VisitorIDs)}
}

// Check answers CodeTooManyItems if the identifiers are too many for one person.
func (p Person) Check() error {
	if p.Size() > MaxIdentifiers {
		return Errorf(CodeTooManyItems, "only", "this leads to more than %d e-mail addresses, customer ids and visitors, so several people share it: "+
			"say that only what carries the identifier itself is meant", MaxIdentifiers)
	}
	return nil
}

// PersonSelector names a person by exactly one identifier.
type PersonSelector struct {
	Email      *string
	CustomerID *string
	VisitorID  *string
}

// Validate checks the identifier. Errors: CodeMissingFilter without one, CodeConflictingFields with several,
// CodeInvalidField.
func (s PersonSelector) Validate() (Person, error) {
	var person Person
	var faults Faults
	if s.Email != nil {
		faults.Add("email", CheckEmail(*s.Email))
		person.Emails = []string{FoldEmail(*s.Email)}
	}
	if s.CustomerID != nil {
		faults.Add("customerId", CheckID(*s.CustomerID))
		person.CustomerIDs = []string{*s.CustomerID}
	}
	if s.VisitorID != nil {
		faults.Add("visitorId", CheckID(*s.VisitorID))
		person.VisitorIDs = []string{*s.VisitorID}
	}
	switch person.Size() {
	case 0:
		return person, Errorf(CodeMissingFilter, "", "name the person by an e-mail address, a customer id or a visitor id")
	case 1:
		return person, faults.Err()
	}
	return person, Errorf(CodeConflictingFields, "", "name the person by one identifier: the others are found by it")
}

// PersonQuery is a checked question about a person.
type PersonQuery struct {
	Person Person // as named: one identifier
	// Only says that nothing else is looked for than what carries the identifier.
	Only bool
}

// ErasePersonInput names a person to forget.
type ErasePersonInput struct {
	WebsiteID  *string
	Email      *string
	CustomerID *string
	VisitorID  *string
	Only       *bool
	DryRun     *bool
}

// Erasure is a checked request to forget a person.
type Erasure struct {
	PersonQuery
	DryRun bool
}

// Validate checks the input. Errors: those of PersonSelector.Validate.
func (in ErasePersonInput) Validate() (Erasure, error) {
	person, err := PersonSelector{in.Email, in.CustomerID, in.VisitorID}.Validate()
	return Erasure{PersonQuery{person, isTrue(in.Only)}, isTrue(in.DryRun)}, err
}

// PersonTraces is how much there is of a person, or was.
type PersonTraces struct {
	Payments       int // that are the person's
	OthersPayments int // that others made as one of the person's visitors
	Visits         int
	Events         int
}

// Add adds what was found of the person elsewhere.
func (t *PersonTraces) Add(other PersonTraces) {
	t.Payments += other.Payments
	t.OthersPayments += other.OthersPayments
	t.Visits += other.Visits
	t.Events += other.Events
}

// ErasePersonPayload is what was forgotten, or would be.
type ErasePersonPayload struct {
	// ID is that of the erasure's audit entry; nil of a dry run.
	ID     *string
	DryRun bool
	// Person has the identifiers that were found, with the one that was named.
	Person Person
	PersonTraces
	// Unproven is how many e-mail addresses and customer ids only a page has said to be those of the person's
	// visitors, although payments carry them. What is kept of them otherwise stays.
	Unproven int
}

// Emails is how many e-mail addresses the person has.
func (p *ErasePersonPayload) Emails() int { return len(p.Person.Emails) }

// CustomerIDs is how many customer ids the person has.
func (p *ErasePersonPayload) CustomerIDs() int { return len(p.Person.CustomerIDs) }

// VisitorIDs is how many visitors the person was.
func (p *ErasePersonPayload) VisitorIDs() int { return len(p.Person.VisitorIDs) }
