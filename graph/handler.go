package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"tributary/graph/generated"
	"tributary/model"
)

// The limits of a request.
const (
	maxBody      = 256 << 10 // bytes
	maxTokens    = 1000      // of the query
	cachedParses = 1000      // queries that are kept parsed
)

// NewHandler serves GraphQL over HTTP: POST, and GET for queries. The principal must be in the
// request's context; a request without one is answered 401.
func NewHandler(r *Resolver) http.Handler {
	srv := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: r}))
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.POST{})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](cachedParses))
	srv.SetParserTokenLimit(maxTokens)
	srv.SetDisableSuggestion(true)
	srv.SetErrorPresenter(present)
	srv.SetRecoverFunc(recovered)
	srv.Use(extension.Introspection{})
	srv.Use(guard{})
	srv.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(r.withLoaders(ctx))
	})
	// What a mutation shows was read after it, not before by the one that it follows.
	srv.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			ctx = r.withLoaders(ctx)
		}
		return next(ctx)
	})
	return checkRequest(srv)
}

// checkRequest refuses what the GraphQL server would answer less well: a missing principal, another
// method, a body that is too large, of another type or not JSON. Its errors never show the body.
func checkRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, err := model.PrincipalFrom(req.Context()); err != nil {
			WriteError(w, req, err)
			return
		}
		var err error
		switch req.Method {
		case http.MethodPost:
			err = checkBody(w, req)
		case http.MethodGet:
			err = checkQueryString(w, req)
		default:
			w.Header().Set("Allow", "GET, POST")
			err = model.Errorf(model.CodeMethodNotAllowed, "", "send queries and mutations by POST, or queries by GET")
		}
		if err != nil {
			WriteError(w, req, err)
			return
		}
		next.ServeHTTP(&requestErrors{ResponseWriter: w}, req)
	})
}

func checkBody(w http.ResponseWriter, req *http.Request) error {
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return model.Errorf(model.CodeUnsupportedMediaType, "", "send the request as Content-Type: application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return model.Errorf(model.CodePayloadTooLarge, "", "a request has at most %d KB", maxBody>>10)
	}
	// The variables stay as they were written: a number that no float holds is for the input to refuse.
	var params struct {
		Query, OperationName  string
		Variables, Extensions map[string]json.RawMessage
	}
	if err != nil || json.Unmarshal(body, &params) != nil || params.Query == "" {
		return model.Errorf(model.CodeInvalidJSON, "", `the body must be a JSON object with "query" and, if needed, "variables" and "operationName"`)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// checkQueryString lets nothing but a query be run by GET. What is not GraphQL passes, since the GraphQL
// server says more about it.
func checkQueryString(w http.ResponseWriter, req *http.Request) error {
	params, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return model.Errorf(model.CodeInvalidField, "", "the query string of the address is not well formed")
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Get("query")}, maxTokens)
	if err != nil {
		return nil
	}
	operation := document.Operations.ForName(params.Get("operationName"))
	if operation != nil && operation.Operation != ast.Query {
		w.Header().Set("Allow", http.MethodPost)
		return model.Errorf(model.CodeMethodNotAllowed, "", "send mutations by POST")
	}
	return nil
}

// statuses are the HTTP statuses of errors that are found before a query is run; all others are 200, as
// GraphQL answers them. The table of package rest says the same of these codes, which a test holds it to,
// but it cannot stand in: the application layer must not import a transport that calls it.
var statuses = map[model.Code]int{
	model.CodeUnauthorized:         http.StatusUnauthorized,
	model.CodeInvalidJSON:          http.StatusBadRequest,
	model.CodeInvalidField:         http.StatusBadRequest,
	model.CodeMethodNotAllowed:     http.StatusMethodNotAllowed,
	model.CodePayloadTooLarge:      http.StatusRequestEntityTooLarge,
	model.CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	model.CodeUnavailable:          http.StatusServiceUnavailable,
	model.CodeInternal:             http.StatusInternalServerError,
}

// WriteError answers a request that does not reach a query, in the form of a GraphQL response.
func WriteError(w http.ResponseWriter, req *http.Request, err error) {
	shown := present(req.Context(), err)
	fault := model.AsError(err)
	if fault == nil || statuses[fault.Code] == 0 {
		fault = model.ErrInternal
	}
	status := statuses[fault.Code]
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(fault.RetrySeconds()))
	case http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": gqlerror.List{shown}})
}
