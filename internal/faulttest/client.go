package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// answerWait is how long a client waits for an answer, until it does not know what became of its request.
const answerWait = 8 * time.Second

// browser is the User-Agent of all clients: that of a program would be taken for a bot's.
const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

// client sends requests to servers, and tells the report of answers that must not be.
type client struct {
	http   *http.Client
	report *report
}

func newClient(r *report) *client {
	return &client{&http.Client{Timeout: answerWait, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, r}
}

// answer is a server's. A status of 0 says that there was none, and that of a server that cannot do it now counts
// as none: what was asked may have been done.
type answer struct {
	status int
	body   []byte
}

func (a answer) isKnown() bool { return a.status != 0 }

// send asks a server.
func (c *client) send(ctx context.Context, s *server, key, method, path string, body any) answer {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			panic(err) // of what we have made ourselves
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.front.address()+path, bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", browser)
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}
	}
	switch status := response.StatusCode; {
	case status == http.StatusServiceUnavailable:
		if response.Header.Get("Retry-After") == "" {
			c.report.breach(wrong, "%s %s: 503 without Retry-After: %s", method, path, got)
		}
		return answer{}
	case status >= 500 || status == http.StatusUnauthorized || status == http.StatusForbidden:
		c.report.breach(wrong, "%s %s by %s: %d %s", method, path, s.name, status, got)
		return answer{}
	}
	return answer{response.StatusCode, got}
}

// query runs a GraphQL operation and reads its data. It answers false if that may have been done or not, and
// otherwise the code of the error, or "".
func (c *client) query(ctx context.Context, s *server, key, text string, variables map[string]any, data any) (code string, known bool) {
	got := c.send(ctx, s, key, http.MethodPost, "/graphql", map[string]any{"query": text, "variables": variables})
	if !got.isKnown() {
		return "", false
	}
	result := struct {
		Data   any
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}{Data: data}
	if err := json.Unmarshal(got.body, &result); err != nil || got.status != http.StatusOK {
		c.report.breach(wrong, "GraphQL by %s: %d %s", s.name, got.status, got.body)
		return "", false
	}
	if len(result.Errors) == 0 {
		return "", true
	}
	code = result.Errors[0].Extensions.Code
	switch code {
	case "UNAVAILABLE":
		return "", false
	case "INTERNAL", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED":
		c.report.breach(wrong, "GraphQL by %s: %s", s.name, got.body)
		return "", false
	}
	return code, true
}
