package graph

import (
	"encoding/json"
	"mime"
	"net/http"
)

// responseType is the media type of GraphQL's own responses, whose HTTP status tells of errors.
const responseType = "application/graphql-response+json"

// requestErrors answers queries that were not run as GraphQL over HTTP asks for: without "data", and with
// the status 400, or 200 to those who want application/json.
type requestErrors struct {
	http.ResponseWriter
	notRun bool
}

// WriteHeader implements http.ResponseWriter. The GraphQL server writes 422 for a query that does not fit the
// schema, or 400.
func (w *requestErrors) WriteHeader(status int) {
	mediaType, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	w.notRun = status == http.StatusUnprocessableEntity || status == http.StatusBadRequest
	switch {
	case w.notRun && mediaType == responseType:
		status = http.StatusBadRequest
	case status == http.StatusUnprocessableEntity:
		status = http.StatusOK
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter. The GraphQL server writes a response in one piece.
func (w *requestErrors) Write(body []byte) (int, error) {
	if !w.notRun {
		return w.ResponseWriter.Write(body)
	}
	var response struct {
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return 0, err
	}
	errorsOnly, err := json.Marshal(response)
	if err != nil {
		return 0, err
	}
	_, err = w.ResponseWriter.Write(errorsOnly)
	return len(body), err
}
