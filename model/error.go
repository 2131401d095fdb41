package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Code is the stable, machine-readable reason of an error. GraphQL shows it as
// extensions.code; REST shows it in lower case as error.reason.
type Code string

// The closed set of codes. Every transport maps all of them; see Codes.
const (
	CodeUnauthorized         Code = "UNAUTHORIZED"             // no valid token
	CodeForbidden            Code = "FORBIDDEN"                // the token lacks a scope or names another website
	CodeHostnameNotAllowed   Code = "HOSTNAME_NOT_ALLOWED"     // an event of a page that is not the website's
	CodeWebsiteSuspended     Code = "WEBSITE_SUSPENDED"        // writes are switched off for the website
	CodeWebsiteNotFound      Code = "WEBSITE_NOT_FOUND"        // unknown, or not the account's: one answer for both
	CodeVisitorNotFound      Code = "VISITOR_NOT_FOUND"        // the visitor was required to be known
	CodePaymentNotFound      Code = "PAYMENT_NOT_FOUND"        // no entry has the transaction id
	CodeInvalidJSON          Code = "INVALID_JSON"             // the body is not one JSON object
	CodeDuplicateField       Code = "DUPLICATE_FIELD"          // a JSON key stands twice
	CodeMissingField         Code = "MISSING_FIELD"            // a required field is absent
	CodeInvalidField         Code = "INVALID_FIELD"            // a field has the wrong type or form
	CodeConflictingFields    Code = "CONFLICTING_FIELDS"       // two fields contradict each other
	CodeInvalidAmount        Code = "INVALID_AMOUNT"           // not a number, negative, zero where it must not be, too large
	CodeAmountPrecision      Code = "AMOUNT_PRECISION"         // more decimals than the currency has
	CodeInvalidCurrency      Code = "INVALID_CURRENCY"         // not an ISO 4217 currency
	CodeInvalidTimestamp     Code = "INVALID_TIMESTAMP"        // not a time, or out of range
	CodeInvalidMetadata      Code = "INVALID_METADATA"         // not an object of at most ten primitive values
	CodeRefundExceedsCharge  Code = "REFUND_EXCEEDS_CHARGE"    // refunds would add up to more than their charge
	CodeRefundCurrency       Code = "REFUND_CURRENCY_MISMATCH" // a refund in another currency than its charge
	CodeDuplicateTransaction Code = "DUPLICATE_TRANSACTION"    // the entry exists and the caller asked to be refused
	CodeMissingFilter        Code = "MISSING_FILTER"           // a delete without anything to select by
	CodeUnknownParameter     Code = "UNKNOWN_PARAMETER"        // a query parameter that the operation does not have
	CodeDuplicateParameter   Code = "DUPLICATE_PARAMETER"      // a query parameter stands twice
	CodeInvalidRange         Code = "INVALID_RANGE"            // a time range that ends before it starts, or lacks an end
	CodeInvalidCursor        Code = "INVALID_CURSOR"           // a cursor of another query, or none at all
	CodeTooManyItems         Code = "TOO_MANY_ITEMS"           // a list or page above its limit
	CodeNotFound             Code = "NOT_FOUND"                // no such path
	CodeMethodNotAllowed     Code = "METHOD_NOT_ALLOWED"       // the path has no such method
	CodePayloadTooLarge      Code = "PAYLOAD_TOO_LARGE"        // the body is above the limit
	CodeUnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"   // the body is not application/json
	CodeRateLimited          Code = "RATE_LIMITED"             // too many events from one address, or requests with one token
	CodeEventLimitReached    Code = "EVENT_LIMIT_REACHED"      // the account's monthly limit is used up
	CodeUnavailable          Code = "UNAVAILABLE"              // the database cannot answer; try again
	CodeInternal             Code = "INTERNAL"                 // a fault of ours, masked
)

// Codes lists every code, so that a test can range over each transport's table.
var Codes = []Code{
	CodeUnauthorized, CodeForbidden, CodeHostnameNotAllowed, CodeWebsiteSuspended, CodeWebsiteNotFound, CodeVisitorNotFound,
	CodePaymentNotFound, CodeInvalidJSON, CodeDuplicateField, CodeMissingField, CodeInvalidField,
	CodeConflictingFields, CodeInvalidAmount, CodeAmountPrecision, CodeInvalidCurrency,
	CodeInvalidTimestamp, CodeInvalidMetadata, CodeRefundExceedsCharge, CodeRefundCurrency,
	CodeDuplicateTransaction, CodeMissingFilter, CodeUnknownParameter, CodeDuplicateParameter,
	CodeInvalidRange, CodeInvalidCursor, CodeTooManyItems, CodeNotFound, CodeMethodNotAllowed,
	CodePayloadTooLarge, CodeUnsupportedMediaType, CodeRateLimited, CodeEventLimitReached, CodeUnavailable, CodeInternal,
}

// Reason is the code as REST shows it, in lower snake case.
func (c Code) Reason() string { return strings.ToLower(string(c)) }

// Error is the one error type that reaches clients. Its message never contains
// a value that a client sent, so it may be shown and logged as it is.
type Error struct {
	Code    Code
	Field   string // the input field at fault, by its GraphQL name; "" when none is
	Message string
	// Others are the further faults of the same input, in input order.
	Others []*Error
	// RetryAfter, when positive, says how long a client should wait; see RetrySeconds.
	RetryAfter time.Duration
}

// Error implements error.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Errorf makes an Error. The message is formatted from constants and limits
// only, never from client input.
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// ErrInternal stands for a fault of ours that whoever answers it has already logged.
var ErrInternal = Errorf(CodeInternal, "", "internal error; the server's log has the details under the request id")

// ErrOverloaded refuses a request because of others. It is logged now and then, not for each: nothing is wrong with the
// database.
var ErrOverloaded = Errorf(CodeUnavailable, "", "too many requests are under way; send it again")

// Fields are the input fields at fault, in input order.
func (e *Error) Fields() []string {
	fields := []string{}
	for _, fault := range append([]*Error{e}, e.Others...) {
		if fault.Field != "" {
			fields = append(fields, fault.Field)
		}
	}
	return fields
}

// How long a client should wait when the error does not say.
const (
	retryUnavailable = time.Second
	retryRateLimited = time.Second
	retryEventLimit  = time.Hour
)

// RetrySeconds is how long a client should wait before it sends the request again, in whole seconds, as
// the header Retry-After has it: 0 when waiting does not help.
func (e *Error) RetrySeconds() int {
	wait := e.RetryAfter
	switch {
	case wait > 0:
	case e.Code == CodeUnavailable:
		wait = retryUnavailable
	case e.Code == CodeRateLimited:
		wait = retryRateLimited
	case e.Code == CodeEventLimitReached:
		wait = retryEventLimit
	}
	return int(math.Ceil(wait.Seconds()))
}

// AsError finds the Error in err's chain; nil when there is none.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Faults collects the errors of an input's fields while it is validated.
type Faults []*Error

// Add notes err, if it is not nil. A field of "" is filled in with the given name. A field is at fault
// once: what follows from that is not told.
func (f *Faults) Add(field string, err error) {
	if err == nil {
		return
	}
	e := AsError(err)
	if e == nil {
		e = Errorf(CodeInternal, field, "internal error")
	}
	if e.Field == "" {
		named := *e
		named.Field = field
		e = &named
	}
	if e.Field != "" && slices.ContainsFunc(*f, func(other *Error) bool { return other.Field == e.Field }) {
		return
	}
	*f = append(*f, e)
}

// Rename changes the names of the fields at fault.
func (f Faults) Rename(name func(field string) string) {
	for i, e := range f {
		renamed := *e
		renamed.Field = name(e.Field)
		f[i] = &renamed
	}
}

// addID notes what CheckID says of an id, if there is one.
func (f *Faults) addID(field string, id *string) {
	if id != nil {
		f.Add(field, CheckID(*id))
	}
}

// Err joins what was noted: nil, or the first fault with the others inside it.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	first := *f[0]
	first.Others = slices.Clone(f[1:])
	return &first
}
