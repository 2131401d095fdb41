package rest

import (
	"encoding/json"
	"strings"
	"time"

	"tributary/model"
	"tributary/openapi"
)

// deletion is a request to delete payments, and what its answer needs to know of it.
type deletion struct {
	input  model.DeletePaymentsInput
	faurya bool
	names  names
	// fraction says that the end of the range was written with a fraction of a second.
	fraction bool
}

// fromAPIDeletion reads the filters of deletePayments: DataFast's from the query string, or Faurya's
// from the body, never both. An absent body is nil. Without any filter the input is empty, which
// is for its Validate to refuse. The time of the request, now, ends a range of Faurya's that is open.
func fromAPIDeletion(params openapi.DeletePaymentsParams, raw *json.RawMessage, now time.Time) (deletion, error) {
	query := filters{names: dataFastNames, values: map[string]*string{
		"transaction_id": params.TransactionId, "tx_id": params.TxId, "datafast_visitor_id": params.DatafastVisitorId,
		"startAt": params.StartAt, "start": params.Start, "endAt": params.EndAt, "end": params.End,
	}}
	body, err := bodyFilters(raw)
	if err != nil {
		return deletion{}, err
	}
	if !query.empty() && !body.empty() {
		return deletion{}, model.Errorf(model.CodeConflictingFields, "", "the filters stand in the query string and in the body: send them in one place")
	}
	var del deletion
	if body.empty() {
		del, err = query.dataFast()
	} else {
		del, err = body.faurya(now)
	}
	del.input.WebsiteID = params.WebsiteId
	return del, err
}

// filters are what selects the payments to delete, by the client's names; nil values are absent.
type filters struct {
	values map[string]*string
	names  names
	faults model.Faults
}

// bodyFilters reads Faurya's filters. A key that is no filter is refused: to ignore it could make the
// delete wider than it was meant.
func bodyFilters(raw *json.RawMessage) (filters, error) {
	f := filters{names: fauryaNames, values: map[string]*string{}}
	if raw == nil {
		return f, nil
	}
	body, err := parseObject(*raw)
	if err != nil {
		return f, err
	}
	known := []string{"transaction_id", "tx_id", "faurya_visitor_id", "startAt", "startDate", "endAt", "endDate"}
	for _, key := range known {
		f.values[key] = body.text(key)
	}
	if len(body.unread()) > 0 {
		return f, model.Errorf(model.CodeUnknownParameter, "", "the body has a key that is no filter; the filters are %s", strings.Join(known, ", "))
	}
	return f, body.err()
}

func (f *filters) empty() bool {
	for _, value := range f.values {
		if value != nil {
			return false
		}
	}
	return true
}

// dataFast applies DataFast's rules: a transaction stands alone, and a range has two ends.
func (f *filters) dataFast() (deletion, error) {
	var del deletion
	if del.input.TransactionID = f.either("transactionId", "transaction_id", "tx_id"); del.input.TransactionID != nil {
		return f.finish(del)
	}
	del.input.VisitorID = f.values["datafast_visitor_id"]
	f.timeRange(&del, "start", "end")
	switch from, to := del.input.From, del.input.To; {
	case from == nil && to != nil:
		f.faults.Add("from", model.Errorf(model.CodeInvalidRange, "", "is missing: a range needs both of its ends"))
	case from != nil && to == nil:
		f.faults.Add("to", model.Errorf(model.CodeInvalidRange, "", "is missing: a range needs both of its ends"))
	}
	return f.finish(del)
}

// faurya applies Faurya's rules: all filters hold, and a range that has a start ends now at the latest.
func (f *filters) faurya(now time.Time) (deletion, error) {
	del := deletion{faurya: true}
	del.input.TransactionID = f.either("transactionId", "transaction_id", "tx_id")
	del.input.VisitorID = f.values["faurya_visitor_id"]
	f.timeRange(&del, "startDate", "endDate")
	if del.input.From != nil && del.input.To == nil {
		del.input.To = new(model.AtTime(now))
		del.fraction = true
	}
	return f.finish(del)
}

// timeRange reads the ends of the range, each of which has another spelling.
func (f *filters) timeRange(del *deletion, otherStart, otherEnd string) {
	if text := f.either("from", "startAt", otherStart); text != nil {
		from, err := model.ParseTimestamp(*text)
		f.faults.Add("from", err)
		del.input.From = &from
	}
	if text := f.either("to", "endAt", otherEnd); text != nil {
		to, err := model.ParseTimestamp(*text)
		f.faults.Add("to", err)
		del.input.To = new(to.EndOfUnit())
		del.fraction = strings.Contains(*text, ".")
	}
}

// either is the value of a filter that has two spellings.
func (f *filters) either(field, spelling, other string) *string {
	value, second := f.values[spelling], f.values[other]
	switch {
	case value != nil && second != nil:
		f.faults.Add(field, model.Errorf(model.CodeConflictingFields, "", "stands beside %s: send one of the two", other))
	case second != nil:
		f.names = f.names.with(field, other)
		return second
	}
	return value
}

func (f *filters) finish(del deletion) (deletion, error) {
	del.names = f.names
	return del, f.names.rename(f.faults.Err())
}

// The documented answers to a delete, and those of their kind.
const (
	messageDeleted             = "Payment deleted successfully"
	messageDeletedVisitor      = "All payments for visitor deleted successfully"
	messageDeletedVisitorRange = "All payments for visitor deleted successfully within time range"
	messageDeletedRange        = "All payments deleted successfully within time range"
	messageEventDeleted        = "Payment event deleted"
	messageEventsDeleted       = "Payment events deleted"
)

// toAPIDeletion is the answer in the dialect of the request.
func toAPIDeletion(payload *model.DeletePaymentsPayload, del deletion) (openapi.DeletePaymentsResult, error) {
	var result openapi.DeletePaymentsResult
	in, deleted := del.input, int64(payload.DeletedCount)
	if del.faurya {
		message := messageEventsDeleted
		if in.TransactionID != nil {
			message = messageEventDeleted
		}
		err := result.FromFauryaDeletePaymentsResult(openapi.FauryaDeletePaymentsResult{
			Status: openapi.SuccessStatusSuccess, Message: message, Deleted: deleted,
			TransactionId: in.TransactionID, FauryaVisitorId: in.VisitorID, TimeRange: toAPIRange(payload.Range, del),
		})
		return result, err
	}
	message := messageDeletedRange
	switch {
	case in.TransactionID != nil:
		message = messageDeleted
	case in.VisitorID != nil && in.From != nil:
		message = messageDeletedVisitorRange
	case in.VisitorID != nil:
		message = messageDeletedVisitor
	}
	err := result.FromDataFastDeletePaymentsResult(openapi.DataFastDeletePaymentsResult{
		Status: openapi.SuccessStatusSuccess,
		Data: []openapi.DataFastDeletion{{
			Message: message, TransactionId: in.TransactionID, DatafastVisitorId: in.VisitorID,
			TimeRange: toAPIRange(payload.Range, del), Deleted: deleted,
		}},
	})
	return result, err
}

// toAPIRange shows the last instant of a range rather than the first one after it, as clients wrote
// it: to the second, unless they wrote a fraction. An open start is the beginning of 1970, before
// which there are no payments.
func toAPIRange(r model.Range, del deletion) *openapi.DeletionRange {
	if del.input.From == nil && del.input.To == nil {
		return nil
	}
	if r.From.IsZero() {
		r.From = time.Unix(0, 0)
	}
	unit := time.Second
	if del.fraction {
		unit = time.Microsecond
	}
	return &openapi.DeletionRange{Start: model.FormatMillis(r.From), End: model.FormatMillis(r.To.Add(-unit))}
}
