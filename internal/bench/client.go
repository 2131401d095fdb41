package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// errTooLong is that a request could not be answered in the 30 seconds that it has.
var errTooLong = errors.New("the request took too long")

// ask runs a GraphQL query and answers the time that it took. Errors: errTooLong.
func (b *bench) ask(ctx context.Context, s *site, query string) (time.Duration, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	status, text, err := b.request(ctx, s, http.MethodPost, "/graphql", body)
	took := time.Since(began)
	if err == nil && bytes.Contains(text, []byte("UNAVAILABLE")) {
		return took, errTooLong
	}
	if err == nil && (status != http.StatusOK || bytes.Contains(text, []byte(`"errors"`))) {
		err = fmt.Errorf("the query %s was answered with %d %s", query, status, text)
	}
	return took, err
}

// maxDeletes is how often a client asks to delete the same range until nothing is left of it.
const maxDeletes = 100

// delete deletes the payments of a range of time as a client does: since a request has 30 seconds, it is repeated
// until nothing is left.
func (b *bench) delete(ctx context.Context, s *site, from, to time.Time) error {
	filter := url.Values{"startAt": {from.Format(time.RFC3339)}, "endAt": {to.Format(time.RFC3339)}}
	for range maxDeletes {
		status, text, err := b.request(ctx, s, http.MethodDelete, "/api/v1/payments?"+filter.Encode(), nil)
		if err != nil {
			return err
		}
		var answer struct{ Deleted int }
		switch status {
		case http.StatusOK:
			if err := json.Unmarshal(text, &answer); err != nil || answer.Deleted == 0 {
				return err
			}
		case http.StatusServiceUnavailable: // its time was over
		default:
			return fmt.Errorf("the delete was answered with %d %s", status, text)
		}
	}
	return fmt.Errorf("payments were left after %d deletes", maxDeletes)
}

// request sends a request with the website's key, and answers the status and the body of the response.
func (b *bench) request(ctx context.Context, s *site, method, path string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, b.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.Key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, err
}
