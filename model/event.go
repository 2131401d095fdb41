package model

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// EventType is what a visitor did, other than to look at a page.
type EventType string

// The types of events.
const (
	EventCustom       EventType = "CUSTOM"        // something that the website has a name for
	EventIdentify     EventType = "IDENTIFY"      // the visitor became known by a user id
	EventPayment      EventType = "PAYMENT"       // the page says who pays; brings no revenue
	EventExternalLink EventType = "EXTERNAL_LINK" // a link to another website was followed
)

// maxEventName is the greatest length of a custom event's name, in characters.
const maxEventName = 64

// Event is something that a visitor did on a page, other than to look at it.
type Event struct {
	WebsiteID  string
	ID         string
	VisitorID  string
	VisitID    *string // nil when the visitor had no visit then
	Type       EventType
	Name       *string // of a custom event; the text of an external link
	Page       string  // the address of the page where it happened
	Link       *string // the address that an external link leads to
	Properties Metadata
	OccurredAt time.Time
}

// Identity is who a visitor is, as the website's pages say.
type Identity struct {
	UserID string
	Name   *string
	Image  *string // its address
}

// RecordEventInput is an event as a client sends it.
type RecordEventInput struct {
	WebsiteID  *string
	VisitorID  string
	SessionID  *string
	Type       EventType
	URL        string
	Name       *string // of a custom event, of the person, or the text of a link
	Link       *string
	UserID     *string
	Image      *string
	CustomerID *string
	Email      *string
	Properties Metadata
	OccurredAt *Timestamp
	// Faults are those found while the input was read; Validate reports them with its own.
	Faults Faults
}

// NewEvent is an event that has been checked and is ready to be recorded.
type NewEvent struct {
	Event
	SessionID *string
	// Identity is who the visitor is from now on; nil if the event does not say so.
	Identity *Identity
	// Customers are who the event says that the visitor is, in the order of CustomerKeys.
	Customers []CustomerKey
}

// Validate checks the input and completes it. All faults are reported together. The time of the request,
// now, stands in for a missing one.
func (in RecordEventInput) Validate(site Website, now time.Time) (NewEvent, error) {
	faults := append(Faults(nil), in.Faults...)
	e := NewEvent{
		Event: Event{
			WebsiteID: site.ID, VisitorID: in.VisitorID, Type: in.Type, Page: in.URL, Properties: in.Properties, OccurredAt: now,
		},
		SessionID: in.SessionID,
	}
	faults.Add("visitorId", CheckID(in.VisitorID))
	faults.addID("sessionId", in.SessionID)
	_, err := parseAddress(in.URL, "http", "https")
	faults.Add("url", err)
	faults.Add("properties", in.Properties.Validate())
	if in.OccurredAt != nil {
		e.OccurredAt = in.OccurredAt.In(site.Location())
		faults.Add("occurredAt", CheckOccurredAt(e.OccurredAt, now))
	}
	switch in.Type {
	case EventCustom:
		e.Name = in.Name
		faults.Add("name", checkEventName(in.Name))
	case EventIdentify:
		in.identify(&e, &faults)
	case EventPayment:
		in.pay(&e, &faults)
	case EventExternalLink:
		e.Link, e.Name = in.Link, label(in.Name)
		faults.Add("link", checkLink(in.Link))
	default:
		faults.Add("type", Errorf(CodeInvalidField, "", "must be CUSTOM, IDENTIFY, PAYMENT or EXTERNAL_LINK"))
	}
	return e, faults.Err()
}

func (in RecordEventInput) identify(e *NewEvent, faults *Faults) {
	if in.UserID == nil {
		faults.Add("userId", Errorf(CodeMissingField, "", "is required"))
		return
	}
	e.Identity = &Identity{UserID: *in.UserID, Name: filled(in.Name), Image: filled(in.Image)}
	faults.addID("userId", in.UserID)
	if e.Identity.Name != nil {
		faults.Add("name", CheckName(*e.Identity.Name))
	}
	if e.Identity.Image != nil {
		_, err := parseAddress(*e.Identity.Image, "http", "https")
		faults.Add("image", err)
	}
	e.Customers = in.customers(in.UserID, faults)
}

func (in RecordEventInput) pay(e *NewEvent, faults *Faults) {
	e.Customers = in.customers(in.CustomerID, faults)
	if len(e.Customers) == 0 && len(in.Properties) == 0 {
		faults.Add("email", Errorf(CodeMissingField, "", "a payment names its e-mail, its customer or an id of the payment provider"))
	}
}

// customers are the ways to recognise the visitor as a payer.
func (in RecordEventInput) customers(id *string, faults *Faults) []CustomerKey {
	payer := Payment{CustomerID: id, Email: filled(in.Email)}
	faults.addID("customerId", in.CustomerID)
	if payer.Email != nil {
		faults.Add("email", CheckEmail(*payer.Email))
	}
	return payer.CustomerKeys()
}

func checkEventName(name *string) error {
	switch {
	case name == nil:
		return Errorf(CodeMissingField, "", "is required")
	case utf8.RuneCountInString(*name) > maxEventName || CheckID(*name) != nil:
		return Errorf(CodeInvalidField, "", "must have 1 to %d characters, without control characters or a space at its ends", maxEventName)
	}
	return nil
}

// checkLink checks the address behind a link, which may be of any scheme: mailto, tel.
func checkLink(link *string) error {
	if link == nil {
		return Errorf(CodeMissingField, "", "is required")
	}
	address, err := url.Parse(mended(*link))
	if err != nil || address.Scheme == "" || len(*link) > maxURL || !isText(*link) {
		return Errorf(CodeInvalidField, "", "must be a full address of at most %d bytes", maxURL)
	}
	return nil
}

// label is the text of a link, cut to 255 characters; nil if it is empty or not valid.
func label(text *string) *string {
	if text == nil || !isText(*text) {
		return nil
	}
	return optional(cut(*text))
}

// filled is the text without space at its ends; nil when nothing is left: trackers send "" for what they do not know.
func filled(text *string) *string {
	if text == nil {
		return nil
	}
	return optional(strings.TrimSpace(*text))
}

// RecordEventPayload is what became of an event.
type RecordEventPayload struct {
	Event   *Event // nil when it told nothing new, and was not kept
	Visitor *Visitor
}

// CookielessVisitor is the id of a visitor who is known by a session only: the browser keeps no id, and
// trackers send another one with each event. It is a UUID of version 4 in form, the same for the same session
// of a website, and tells nothing of the session.
func CookielessVisitor(trackingID, sessionID string) string {
	sum := sha256.Sum256([]byte("cookieless visitor\x00" + trackingID + "\x00" + sessionID))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	id := hex.EncodeToString(sum[:16])
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// Equal says whether both tell the same. Nil is nobody.
func (i *Identity) Equal(other *Identity) bool {
	if i == nil || other == nil {
		return i == other
	}
	return i.UserID == other.UserID && !differs(i.Name, other.Name) && !differs(i.Image, other.Image)
}
