package graph

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The limits of the errors in an answer.
const (
	maxErrors     = 10
	maxErrorText  = 8 << 10 // bytes, of all of them
	maxOfOneError = 512     // bytes of its message, if it alone is above the limit
)

// The media types of answers. The HTTP status of the first one tells of errors.
const (
	responseType = "application/graphql-response+json"
	jsonType     = "application/json"
)

// accepted is the media type that a client wants: the first one that it names.
func accepted(req *http.Request) string {
	accept := req.Header.Get("Accept")
	if accept == "" {
		return jsonType
	}
	for part := range strings.SplitSeq(accept, ",") {
		switch mediaType, _, _ := mime.ParseMediaType(part); mediaType {
		case "*/*", "application/*", jsonType:
			return jsonType
		case responseType:
			return responseType
		}
	}
	return responseType
}

// writeFaults answers a query that is not run: without "data", and with the status 400, or 200 to those who
// want application/json.
func writeFaults(ctx context.Context, w http.ResponseWriter, req *http.Request, faults gqlerror.List) {
	var response struct {
		Errors     gqlerror.List  `json:"errors"`
		Extensions map[string]any `json:"extensions,omitempty"`
	}
	for _, fault := range faults[:min(len(faults), maxErrors)] {
		response.Errors = append(response.Errors, present(ctx, fault))
	}
	var omitted int
	response.Errors, omitted = few(response.Errors)
	response.Extensions = omitting(omitted + max(len(faults)-maxErrors, 0))
	status := http.StatusOK
	if accepted(req) == responseType {
		status = http.StatusBadRequest
	}
	write(w, req, status, response)
}

// writeResponse answers a query that was run.
func writeResponse(w http.ResponseWriter, req *http.Request, response *graphql.Response) {
	var omitted int
	response.Errors, omitted = few(response.Errors)
	response.Extensions = omitting(omitted)
	write(w, req, http.StatusOK, response)
}

func write(w http.ResponseWriter, req *http.Request, status int, response any) {
	body, err := json.Marshal(response)
	if err != nil {
		WriteError(w, req, err)
		return
	}
	w.Header().Set("Content-Type", accepted(req))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// omitting tells a client of errors that it does not see.
func omitting(n int) map[string]any {
	if n == 0 {
		return nil
	}
	return map[string]any{"omittedErrors": n}
}

// few are the first of the errors, as many as an answer may have, and the number of the others.
func few(errs gqlerror.List) (shown gqlerror.List, omitted int) {
	size := 0
	for i, err := range errs {
		text, _ := json.Marshal(err)
		size += len(text)
		if i == maxErrors || i > 0 && size > maxErrorText {
			return errs[:i], len(errs) - i
		}
		if size > maxErrorText { // names that the client has chosen
			errs[i] = shortened(err)
			size = maxErrorText
		}
	}
	return errs, 0
}

// shortened is an error without what can be of any length.
func shortened(err *gqlerror.Error) *gqlerror.Error {
	message := strings.ToValidUTF8(err.Message[:min(len(err.Message), maxOfOneError)], "")
	return &gqlerror.Error{Message: message, Locations: err.Locations, Extensions: map[string]any{
		"code": err.Extensions["code"], "requestId": err.Extensions["requestId"],
	}}
}
