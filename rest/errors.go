package rest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"tributary/internal/span"
	"tributary/model"
	"tributary/openapi"
)

// statuses is the one table of HTTP statuses. A code that it lacks is a fault of ours.
var statuses = map[model.Code]int{
	model.CodeUnauthorized:         http.StatusUnauthorized,
	model.CodeForbidden:            http.StatusForbidden,
	model.CodeHostnameNotAllowed:   http.StatusForbidden,
	model.CodeWebsiteSuspended:     http.StatusForbidden,
	model.CodeWebsiteNotFound:      http.StatusNotFound,
	model.CodeVisitorNotFound:      http.StatusNotFound,
	model.CodePaymentNotFound:      http.StatusNotFound,
	model.CodeInvalidJSON:          http.StatusBadRequest,
	model.CodeDuplicateField:       http.StatusBadRequest,
	model.CodeMissingField:         http.StatusBadRequest,
	model.CodeInvalidField:         http.StatusBadRequest,
	model.CodeConflictingFields:    http.StatusBadRequest,
	model.CodeInvalidAmount:        http.StatusBadRequest,
	model.CodeAmountPrecision:      http.StatusBadRequest,
	model.CodeInvalidCurrency:      http.StatusBadRequest,
	model.CodeInvalidTimestamp:     http.StatusBadRequest,
	model.CodeInvalidMetadata:      http.StatusBadRequest,
	model.CodeRefundExceedsCharge:  http.StatusBadRequest,
	model.CodeRefundCurrency:       http.StatusBadRequest,
	model.CodeDuplicateTransaction: http.StatusBadRequest,
	model.CodeMissingFilter:        http.StatusBadRequest,
	model.CodeUnknownParameter:     http.StatusBadRequest,
	model.CodeDuplicateParameter:   http.StatusBadRequest,
	model.CodeInvalidRange:         http.StatusBadRequest,
	model.CodeInvalidCursor:        http.StatusBadRequest,
	model.CodeTooManyItems:         http.StatusBadRequest,
	model.CodeNotFound:             http.StatusNotFound,
	model.CodeMethodNotAllowed:     http.StatusMethodNotAllowed,
	model.CodePayloadTooLarge:      http.StatusRequestEntityTooLarge,
	model.CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	model.CodeRateLimited:          http.StatusTooManyRequests,
	model.CodeEventLimitReached:    http.StatusTooManyRequests,
	model.CodeUnavailable:          http.StatusServiceUnavailable,
	model.CodeInternal:             http.StatusInternalServerError,
}

// StatusOf is the HTTP status of an error code.
func StatusOf(code model.Code) int {
	if status, ok := statuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// WriteError answers a request with the error envelope, and with the headers that belong to the
// error: WWW-Authenticate, Retry-After. Whoever answers 405 sets Allow before. A
// database that cannot answer is logged; so is an error that is no model.Error, which is shown as an
// internal one. One that says that the client went away is neither: it names the client's address.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if client := (*net.OpError)(nil); model.AsError(err) == nil && errors.As(err, &client) {
		return
	}
	e := asModelError(r, err)
	status := StatusOf(e.Code)
	span.Refused(r.Context(), e.Code)
	requestID := model.RequestID(r.Context())

	header := w.Header()
	header.Set("Content-Type", "application/json")
	switch e.Code {
	case model.CodeUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	case model.CodeUnavailable, model.CodeEventLimitReached, model.CodeRateLimited:
		header.Set("Retry-After", strconv.Itoa(e.RetrySeconds()))
	case model.CodePayloadTooLarge:
		header.Set("Connection", "close") // what is left of the body is not read
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(toAPIError(e, status, requestID)) // fails if the client went away
}

// asModelError finds the error that the client may see.
func asModelError(r *http.Request, err error) *model.Error {
	var tooLarge *http.MaxBytesError
	switch e := model.AsError(err); {
	case e == model.ErrOverloaded:
		return e
	case e != nil && e.Code == model.CodeUnavailable && !errors.Is(err, context.Canceled):
		slog.WarnContext(r.Context(), "the database cannot answer", "error", err, "requestId", model.RequestID(r.Context()))
		return e
	case e != nil && e.Code != model.CodeInternal, e == model.ErrInternal:
		return e
	case errors.As(err, &tooLarge):
		return errTooLarge()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return model.Errorf(model.CodeUnavailable, "", "the request took too long; send it again")
	}
	slog.ErrorContext(r.Context(), "a REST request failed", "error", err, "method", r.Method, "path", r.URL.Path,
		"requestId", model.RequestID(r.Context()))
	return model.ErrInternal
}

func toAPIError(e *model.Error, status int, requestID string) openapi.ErrorResponse {
	detail := openapi.ErrorDetail{
		Code: status, Message: e.Message, Reason: openapi.ErrorReason(e.Code.Reason()), RequestId: requestID,
	}
	if e.Field != "" {
		detail.Field = &e.Field
		if status == http.StatusBadRequest {
			detail.Message = e.Field + ": " + e.Message
		}
	}
	if len(e.Others) > 0 {
		fields := make([]openapi.FieldError, 0, 1+len(e.Others))
		for _, fault := range append([]*model.Error{e}, e.Others...) {
			fields = append(fields, openapi.FieldError{
				Field: fault.Field, Reason: openapi.ErrorReason(fault.Code.Reason()), Message: fault.Message,
			})
		}
		detail.Fields = &fields
	}
	return openapi.ErrorResponse{Status: openapi.ErrorResponseStatusError, Error: detail}
}
