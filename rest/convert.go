package rest

import (
	"encoding/json"
	"strings"

	"tributary/model"
	"tributary/openapi"
)

// recording is a payment to record, and what its answer needs to know of the request.
type recording struct {
	input   model.RecordPaymentInput
	faurya  bool
	names   names
	ignored []string // keys that were not understood
}

// fromAPIPayment reads the body of recordPayment in either dialect. Fields that cannot be read are
// faults of the input, which its Validate reports together with what else is wrong. Errors: those of
// parseObject and isFaurya.
func fromAPIPayment(raw json.RawMessage, params openapi.RecordPaymentParams) (recording, error) {
	body, err := parseObject(raw)
	if err != nil {
		return recording{}, err
	}
	faurya, err := isFaurya(body)
	if err != nil {
		return recording{}, err
	}
	var rec recording
	if faurya {
		rec = fromFaurya(body)
	} else {
		rec = fromDataFast(body)
	}
	rec.input.WebsiteID = params.WebsiteId
	rec.ignored = body.unread()
	rec.input.Faults = body.faults
	rec.input.Faults.Rename(rec.names.field)
	return rec, nil
}

func fromDataFast(body *object) recording {
	rec := recording{names: dataFastNames}
	rec.input = model.RecordPaymentInput{
		TransactionID: body.requiredText("transaction_id"),
		Amount:        body.requiredAmount("amount"),
		Currency:      body.requiredCurrency("currency"),
		VisitorID:     body.text("datafast_visitor_id"),
		SessionID:     body.text("datafast_session_id"),
		CustomerID:    body.text("customer_id"),
		Renewal:       body.flag("renewal"),
		Refunded:      body.flag("refunded"),
		FreeTrial:     body.flag("is_free_trial"),
		RefundOf:      body.text("refund_of"),
		OccurredAt:    body.timestamp("timestamp"),
		Metadata:      body.metadata("metadata"),
	}
	rec.input.Email = rec.spelled(body, "email", "customer_email")
	rec.input.Name = rec.spelled(body, "name", "customer_name")
	return rec
}

// spelled reads a field that has two spellings.
func (rec *recording) spelled(body *object, spelling, other string) *string {
	value, second := body.text(spelling), body.text(other)
	switch {
	case value == nil && second != nil:
		rec.names = rec.names.with(spelling, other)
		return second
	case value != nil && second != nil && *value != *second:
		body.fault(spelling, model.CodeConflictingFields, "differs from "+other+": send one of the two")
	}
	return value
}

func fromFaurya(body *object) recording {
	rec := recording{faurya: true, names: fauryaNames}
	rec.input = model.RecordPaymentInput{
		VisitorID:       new(body.requiredText("faurya_visitor_id")),
		TransactionID:   body.requiredText("transaction_id"),
		Amount:          body.requiredAmount("amount"),
		SessionID:       body.text("faurya_session_id"),
		Metadata:        body.metadata("metadata"),
		RequireVisitor:  new(true),
		RejectDuplicate: new(true),
	}
	body.text("currency") // accepted and not used
	if isZero(rec.input.Amount) {
		body.fault("amount", model.CodeInvalidAmount, "must be greater than 0")
	}
	return rec
}

// isZero says whether a decimal is zero however it is written. An empty one is absent, not zero.
func isZero(d model.Decimal) bool {
	digits, _, _ := strings.Cut(strings.ToLower(string(d)), "e")
	return digits != "" && !strings.ContainsAny(digits, "123456789")
}

// The documented answers to a payment.
const (
	messageRecorded         = "Payment recorded successfully"
	messageAttributed       = "Payment recorded and attributed successfully"
	messageRefund           = "Refund recorded successfully"
	messageRefundAttributed = "Refund recorded and attributed successfully"
	messageDuplicate        = "Payment already recorded"
)

// toAPIPayment is the answer to a recorded payment.
func toAPIPayment(payload *model.RecordPaymentPayload, rec recording) openapi.RecordPaymentResult {
	result := openapi.RecordPaymentResult{Message: rec.message(payload), TransactionId: rec.input.TransactionID}
	if len(rec.ignored) > 0 {
		result.IgnoredFields = new(rec.ignored)
	}
	return result
}

func (rec recording) message(payload *model.RecordPaymentPayload) string {
	switch {
	case rec.faurya:
		return messageRecorded
	case payload.Outcome == model.OutcomeDuplicate && len(payload.Differences) > 0:
		differing := make([]string, len(payload.Differences))
		for i, field := range payload.Differences {
			differing[i] = rec.names.of(field)
		}
		return messageDuplicate + ", and nothing was changed; this request differs in " + strings.Join(differing, ", ")
	case payload.Outcome == model.OutcomeDuplicate:
		return messageDuplicate
	case payload.Outcome == model.OutcomeRefunded && payload.Payment.VisitorSeen:
		return messageRefundAttributed
	case payload.Outcome == model.OutcomeRefunded:
		return messageRefund
	case payload.Outcome == model.OutcomeAttributed:
		return messageAttributed
	}
	return messageRecorded
}
