package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/graph/generated"
	"tributary/internal/span"
	"tributary/model"
)

// queryTime is how long a query may take that only looks records up. Reports and mutations have as long as
// any request.
const queryTime = 5 * time.Second

// handler is the way of an operation: it is read, measured, validated, and run, in this order.
type handler struct {
	queries  *queries
	executor *executor.Executor
	observer Observer
}

// NewHandler serves GraphQL over HTTP: POST, and GET for queries. The principal must be in the
// request's context; a request without one is answered 401.
func NewHandler(r *Resolver) http.Handler {
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: r})
	run := executor.New(schema)
	run.SetQueryCache(prepared{})
	run.SetParserTokenLimit(1) // so that nothing is run that was not measured
	run.SetErrorPresenter(present)
	run.SetRecoverFunc(r.recovered)
	run.Use(extension.Introspection{})
	run.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(r.withLoaders(ctx))
	})
	// What a mutation shows was read after it, not before by the one that it follows.
	run.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			ctx = r.withLoaders(ctx)
		}
		return r.observe(ctx, next)
	})
	return &handler{newQueries(schema.Schema()), run, r.observer()}
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	start := graphql.Now()
	asked, err := readRequest(w, req)
	if err != nil {
		WriteError(w, req, err)
		return
	}
	read := graphql.TraceTiming{Start: start, End: graphql.Now()}
	ctx := withFewLogged(graphql.StartOperationTrace(req.Context()))
	query, faults := h.queries.prepare(asked)
	if faults != nil {
		h.observer.Refused()
		writeFaults(ctx, w, req, faults)
		return
	}
	if req.Method == http.MethodGet && query.operation.Operation != ast.Query {
		w.Header().Set("Allow", http.MethodPost)
		WriteError(w, req, model.Errorf(model.CodeMethodNotAllowed, "", "send mutations by POST"))
		return
	}
	if !query.slow {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, queryTime)
		defer cancel()
	}
	operation, faults := h.executor.CreateOperationContext(context.WithValue(ctx, prepared{}, query.document), &graphql.RawParams{
		Query: asked.query, OperationName: asked.operation, Variables: asked.variables, Headers: req.Header, ReadTime: read,
	})
	if faults != nil {
		h.observer.Refused()
		writeFaults(ctx, w, req, faults)
		return
	}
	responses, ctx := h.executor.DispatchOperation(ctx, operation)
	response := responses(ctx)
	if response == nil { // its time was over before it began
		WriteError(w, req, errTooLong)
		return
	}
	writeResponse(w, req, response)
}

// prepared hands the executor the document that was prepared, which lies in the context under this key.
type prepared struct{}

// Get implements graphql.Cache.
func (key prepared) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	document, ok := ctx.Value(key).(*ast.QueryDocument)
	return document, ok
}

// Add implements graphql.Cache.
func (prepared) Add(context.Context, string, *ast.QueryDocument) {}

// statuses are the HTTP statuses of errors that are found before a query is run; all others are 200, as
// GraphQL answers them. The table of package rest says the same of these codes, which a test holds it to,
// but it cannot stand in: the application layer must not import a transport that calls it.
var statuses = map[model.Code]int{
	model.CodeUnauthorized:         http.StatusUnauthorized,
	model.CodeInvalidJSON:          http.StatusBadRequest,
	model.CodeInvalidField:         http.StatusBadRequest,
	model.CodeTooManyItems:         http.StatusBadRequest,
	model.CodeMethodNotAllowed:     http.StatusMethodNotAllowed,
	model.CodePayloadTooLarge:      http.StatusRequestEntityTooLarge,
	model.CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	model.CodeRateLimited:          http.StatusTooManyRequests,
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
	span.Refused(req.Context(), fault.Code)
	status := statuses[fault.Code]
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(fault.RetrySeconds()))
	case http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": gqlerror.List{shown}})
}
