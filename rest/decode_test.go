package rest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
	"tributary/openapi"
	"tributary/rest"
)

// decoded is what is read of a payment's body.
type decoded struct {
	refused openapi.ErrorReason // of the whole body
	input   model.RecordPaymentInput
	faults  []string // field and code
	ignored []string
}

// reference reads a payment with encoding/json and the rules of the documents: slowly, and one rule after the other.
type reference struct {
	decoded
	values map[string]json.RawMessage
}

func decodeByReference(body []byte) decoded {
	r := reference{values: map[string]json.RawMessage{}}
	if len(body) > rest.MaxBody {
		return decoded{refused: openapi.ErrorReasonPayloadTooLarge}
	}
	if !utf8.Valid(body) || hasHalfCharacter(body) || !json.Valid(body) || bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return decoded{refused: openapi.ErrorReasonInvalidJson}
	}
	keys, ok := membersOf(body, r.values)
	var dataFast, faurya bool
	for _, key := range keys {
		dataFast, faurya = dataFast || strings.HasPrefix(key, "datafast_"), faurya || strings.HasPrefix(key, "faurya_")
	}
	switch {
	case !ok:
		return decoded{refused: openapi.ErrorReasonDuplicateField}
	case dataFast && faurya:
		return decoded{refused: openapi.ErrorReasonConflictingFields}
	case faurya:
		r.faurya()
	default:
		r.dataFast()
	}
	for _, key := range keys {
		if _, left := r.values[key]; left {
			r.ignored = append(r.ignored, key)
		}
	}
	return r.decoded
}

// membersOf reads the members of a valid object, false if a key stands twice.
func membersOf(object []byte, values map[string]json.RawMessage) (keys []string, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(object))
	_, _ = dec.Token()
	for ok = true; dec.More(); {
		key, _ := dec.Token()
		var value json.RawMessage
		_ = dec.Decode(&value)
		_, twice := values[key.(string)]
		ok = ok && !twice
		keys, values[key.(string)] = append(keys, key.(string)), value
	}
	return keys, ok
}

var escapes = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)

// hasHalfCharacter finds the escape of a surrogate that has no other half.
func hasHalfCharacter(body []byte) bool {
	text := escapes.ReplaceAllStringFunc(string(body), func(escape string) string {
		switch {
		case !strings.HasPrefix(escape, `\u`) || len(escape) < 6:
			return "_"
		case strings.ContainsRune("dD", rune(escape[2])) && strings.ContainsRune("89abAB", rune(escape[3])):
			return "\x01" // the first half
		case strings.ContainsRune("dD", rune(escape[2])) && strings.ContainsRune("cdefCDEF", rune(escape[3])):
			return "\x02"
		}
		return "_"
	})
	return strings.ContainsAny(strings.ReplaceAll(text, "\x01\x02", ""), "\x01\x02")
}

func (r *reference) dataFast() {
	r.input = model.RecordPaymentInput{
		TransactionID: r.required("transaction_id"), Amount: r.amount(), Currency: r.currency(),
		VisitorID: r.text("datafast_visitor_id"), SessionID: r.text("datafast_session_id"), CustomerID: r.text("customer_id"),
		Renewal: r.flag("renewal"), Refunded: r.flag("refunded"), FreeTrial: r.flag("is_free_trial"), RefundOf: r.text("refund_of"),
		OccurredAt: r.timestamp(), Metadata: r.metadata(),
	}
	r.input.Email = r.either("email", "customer_email")
	r.input.Name = r.either("name", "customer_name")
}

func (r *reference) faurya() {
	r.input = model.RecordPaymentInput{
		VisitorID: new(r.required("faurya_visitor_id")), TransactionID: r.required("transaction_id"), Amount: r.amount(),
		SessionID: r.text("faurya_session_id"), Metadata: r.metadata(), RequireVisitor: new(true), RejectDuplicate: new(true),
	}
	r.text("currency")
	if digits, _, _ := strings.Cut(strings.ToLower(string(r.input.Amount)), "e"); digits != "" && strings.Trim(digits, "-0.") == "" {
		r.fault("amount", model.CodeInvalidAmount)
	}
}

// take decodes a value that is neither absent nor null; false if it is one of these, or of another type.
func (r *reference) take(key string, otherType model.Code, value any) bool {
	raw, ok := r.values[key]
	delete(r.values, key)
	if !ok || string(raw) == "null" {
		return false
	}
	if json.Unmarshal(raw, value) != nil {
		r.fault(key, otherType)
		return false
	}
	return true
}

func (r *reference) fault(key string, code model.Code) {
	names := map[string]string{
		"transaction_id": "transactionId", "datafast_visitor_id": "visitorId", "faurya_visitor_id": "visitorId", "datafast_session_id": "sessionId",
		"faurya_session_id": "sessionId", "customer_id": "customerId", "is_free_trial": "freeTrial", "refund_of": "refundOf", "timestamp": "occurredAt",
	}
	name, ok := names[key]
	if !ok {
		name = key
	}
	for _, fault := range r.faults {
		if strings.HasPrefix(fault, name+" ") {
			return
		}
	}
	r.faults = append(r.faults, name+" "+string(code))
}

func (r *reference) text(key string) *string {
	var text string
	if !r.take(key, model.CodeInvalidField, &text) {
		return nil
	}
	return &text
}

// present notes the fault of a required field that is absent.
func (r *reference) present(key string) {
	if raw, ok := r.values[key]; !ok || string(raw) == "null" {
		r.fault(key, model.CodeMissingField)
	}
}

func (r *reference) required(key string) (text string) {
	r.present(key)
	r.take(key, model.CodeInvalidField, &text)
	return text
}

func (r *reference) currency() (text model.Currency) {
	r.present("currency")
	if r.take("currency", model.CodeInvalidCurrency, &text) && text == "" {
		r.fault("currency", model.CodeInvalidCurrency)
	}
	return text
}

func (r *reference) amount() model.Decimal {
	r.present("amount")
	var raw json.RawMessage
	if !r.take("amount", model.CodeInvalidAmount, &raw) {
		return ""
	}
	amount, err := model.ParseDecimal(string(raw))
	if err != nil {
		r.fault("amount", model.CodeInvalidAmount)
	}
	return amount
}

func (r *reference) flag(key string) *bool {
	var flag bool
	if !r.take(key, model.CodeInvalidField, &flag) {
		return nil
	}
	return &flag
}

func (r *reference) timestamp() *model.Timestamp {
	var text string
	if !r.take("timestamp", model.CodeInvalidTimestamp, &text) {
		return nil
	}
	at, err := model.ParseTimestamp(text)
	if err != nil {
		r.fault("timestamp", model.CodeInvalidTimestamp)
	}
	return &at
}

func (r *reference) metadata() model.Metadata {
	var raw map[string]json.RawMessage
	text := r.values["metadata"]
	if !r.take("metadata", model.CodeInvalidMetadata, &raw) {
		return nil
	}
	if _, ok := membersOf(text, map[string]json.RawMessage{}); !ok {
		r.fault("metadata", model.CodeDuplicateField)
		return nil
	}
	m := model.Metadata{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if dec.Decode(&m) != nil || m.Validate() != nil {
		r.fault("metadata", model.CodeInvalidMetadata)
		return nil
	}
	return m
}

func (r *reference) either(spelling, other string) *string {
	value, second := r.text(spelling), r.text(other)
	switch {
	case value == nil:
		return second
	case second != nil && *value != *second:
		r.fault(spelling, model.CodeConflictingFields)
	}
	return value
}

// requireAsReference requires that a body is read as the reference reads it.
func requireAsReference(t require.TestingT, a *api, body []byte) {
	r := request("POST", path, string(body))
	r.Header.Set("Content-Type", "application/json")
	recorder, want := httptest.NewRecorder(), decodeByReference(body)
	a.handler.ServeHTTP(recorder, r)
	if want.refused != "" {
		var envelope openapi.ErrorResponse
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &envelope))
		require.Equal(t, want.refused, envelope.Error.Reason)
		require.Empty(t, a.inputs)
		return
	}
	require.Len(t, a.inputs, 1, recorder.Body)
	got := a.inputs[0]
	var faults []string
	for _, fault := range got.Faults {
		faults = append(faults, fault.Field+" "+string(fault.Code))
	}
	require.Equal(t, want.faults, faults)
	got.Faults = nil
	require.Equal(t, want.input, got)
	if recorder.Code == http.StatusOK {
		var result openapi.RecordPaymentResult
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &result))
		require.Equal(t, got.TransactionID, result.TransactionId)
		var ignored []string
		if result.IgnoredFields != nil {
			ignored = *result.IgnoredFields
		}
		require.Equal(t, want.ignored, ignored)
	}
}

func TestHandler_RecordPayment_decoding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		requireAsReference(rt, newAPI(t), []byte(bodies().Draw(rt, "body")))
	})
}

func FuzzBody(f *testing.F) {
	for i := range 200 {
		f.Add([]byte(bodies().Example(i)))
	}
	for _, body := range []string{
		dataFastExample, fauryaExample, `{"amount":1,"currency":"USD","transaction_id":"t","x":{"a":["}",{"b":"\\"}]}}`,
		`{"faurya_visitor_id":"v","datafast_visitor_id":"v","amount":1,"transaction_id":"t"}`, "", " ", "null", "[]", "1", `"a"`, `{`, `{}`, `{},`, `{}{}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `{"a":{"b"1}}`, `{a:1}`, `{"a":1;"b":2}`, `{,}`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a":1}x`, "\xef\xbb\xbf{}", strings.Repeat(" ", rest.MaxBody+1),
		strings.Repeat(`{"a":`, 10_001), strings.Repeat(`{"a":`, 9_999) + "[]" + strings.Repeat("}", 9_999), strings.Repeat(`{"a":`, 10_000) + "[]" + strings.Repeat("}", 10_000),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > rest.MaxBody {
			t.Skip("refused by its size alone")
		}
		requireAsReference(t, newAPI(t), body)
	})
}
