// Package rest serves the documented REST API: it reads requests strictly, calls the resolvers that
// GraphQL calls, and answers in the dialect of the request. It decides nothing about payments.
package rest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"time"

	"tributary/graph/generated"
	"tributary/model"
	"tributary/openapi"
)

// MaxBody is the greatest size of a request body in bytes.
const MaxBody = 64 << 10

// allowed are the methods of the paths, as the Allow header lists them.
var allowed = map[string]string{
	"/api/v1/payments": "DELETE, POST",
	eventsPath:         "OPTIONS, POST",
	"/healthz":         "GET, HEAD",
	"/readyz":          "GET, HEAD",
}

// Paths are those of the API's operations, in order.
func Paths() []string { return slices.Sorted(maps.Keys(allowed)) }

// NewHandler serves everything below /api, and /healthz and /readyz. It expects the principal of the
// request in its context for /api, but not for events, and the request's id, which the answer's header
// X-Request-Id has already. Ready is asked by
// /readyz: nil means that requests are welcome. Now gives the time of a request.
func NewHandler(resolver generated.MutationResolver, ready func(context.Context) error, now func() time.Time, senders Senders) http.Handler {
	mux := http.NewServeMux()
	strict := openapi.NewStrictHandlerWithOptions(&server{resolver, ready, now, senders}, nil, openapi.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  writeBodyError,
		ResponseErrorHandlerFunc: WriteError,
	})
	openapi.HandlerWithOptions(strict, openapi.StdHTTPServerOptions{
		BaseRouter: router{mux, senders}, ErrorHandlerFunc: writeParameterError,
	})
	for path, methods := range allowed {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", methods)
			WriteError(w, r, model.Errorf(model.CodeMethodNotAllowed, "", "this path does not have this method; it has %s", methods))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, model.Errorf(model.CodeNotFound, "", "there is nothing at this path; /openapi.yaml lists the paths of the API"))
	})
	return crossOrigin(mux)
}

// router puts the checks that the generated server does not make in front of its operations.
type router struct {
	*http.ServeMux
	senders Senders
}

// HandleFunc registers an operation by its method and path.
func (m router) HandleFunc(pattern string, operation func(http.ResponseWriter, *http.Request)) {
	known, strict := parameters[pattern]
	types := []string{"application/json"}
	if pattern == http.MethodPost+" "+eventsPath {
		types = append(types, "text/plain") // of navigator.sendBeacon
		operation = m.senders.admit(operation)
	}
	m.ServeMux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := checkRequest(r, known, strict, types); err != nil {
			WriteError(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		operation(w, r)
	})
}

// checkRequest refuses what can be refused before the body is read.
func checkRequest(r *http.Request, known []string, strict bool, types []string) error {
	if strict {
		if err := checkQuery(r.URL.RawQuery, known); err != nil {
			return err
		}
	}
	switch {
	case r.ContentLength > MaxBody:
		return errTooLarge()
	case (r.ContentLength != 0 || r.Method == http.MethodPost) && !hasType(r.Header.Get("Content-Type"), types):
		return model.Errorf(model.CodeUnsupportedMediaType, "", "send the body as JSON, with the header Content-Type: application/json")
	}
	return nil
}

func hasType(contentType string, types []string) bool {
	if slices.Contains(types, contentType) {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.Contains(types, mediaType)
}

func errTooLarge() *model.Error {
	return model.Errorf(model.CodePayloadTooLarge, "", "the body is larger than %d bytes", MaxBody)
}

// writeBodyError answers when a body could not be read.
func writeBodyError(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	if model.AsError(err) == nil && !errors.As(err, &tooLarge) {
		err = model.Errorf(model.CodeInvalidJSON, "", "the body ended before all of it had arrived")
	}
	WriteError(w, r, err)
}

// writeParameterError answers when the generated server could not read a parameter, which checkQuery
// would have refused already.
func writeParameterError(w http.ResponseWriter, r *http.Request, _ error) {
	WriteError(w, r, model.Errorf(model.CodeInvalidField, "", "a query parameter cannot be read"))
}

// server implements the operations of the published contract.
type server struct {
	resolver generated.MutationResolver
	ready    func(context.Context) error
	now      func() time.Time
	senders  Senders
}

// RecordPayment implements openapi.StrictServerInterface.
func (s *server) RecordPayment(ctx context.Context, request openapi.RecordPaymentRequestObject) (openapi.RecordPaymentResponseObject, error) {
	rec, err := fromAPIPayment(*request.Body, request.Params)
	if err != nil {
		return nil, err
	}
	payload, err := s.resolver.RecordPayment(ctx, rec.input)
	if err != nil {
		return nil, rec.names.rename(err)
	}
	return openapi.RecordPayment200JSONResponse(toAPIPayment(payload, rec)), nil
}

// DeletePayments implements openapi.StrictServerInterface.
func (s *server) DeletePayments(ctx context.Context, request openapi.DeletePaymentsRequestObject) (openapi.DeletePaymentsResponseObject, error) {
	del, err := fromAPIDeletion(request.Params, request.Body, s.now())
	if err != nil {
		return nil, err
	}
	payload, err := s.resolver.DeletePayments(ctx, del.input)
	if err != nil {
		return nil, del.names.rename(err)
	}
	if payload.DeletedCount == 0 && (del.faurya || del.input.TransactionID != nil) {
		return nil, model.Errorf(model.CodePaymentNotFound, "", "no payment matches")
	}
	body, err := toAPIDeletion(payload, del)
	return openapi.DeletePayments200JSONResponse(body), err
}

// GetHealth implements openapi.StrictServerInterface.
func (s *server) GetHealth(context.Context, openapi.GetHealthRequestObject) (openapi.GetHealthResponseObject, error) {
	return openapi.GetHealth200JSONResponse(health(openapi.HealthResponseDataStateAlive)), nil
}

// GetReadiness implements openapi.StrictServerInterface.
func (s *server) GetReadiness(ctx context.Context, _ openapi.GetReadinessRequestObject) (openapi.GetReadinessResponseObject, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", model.Errorf(model.CodeUnavailable, "", "the database cannot be reached, or its migrations are not done"), err)
	}
	return openapi.GetReadiness200JSONResponse(health(openapi.HealthResponseDataStateReady)), nil
}

func health(state openapi.HealthResponseDataState) openapi.HealthResponse {
	answer := openapi.HealthResponse{Status: openapi.SuccessStatusSuccess}
	answer.Data.State = state
	return answer
}
