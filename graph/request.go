package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"tributary/model"
)

// The limits of a request. A body that is full of payments passes that of the values.
const (
	maxBody           = 256 << 10 // bytes
	maxVariablesDepth = 10        // objects and lists inside one another
	maxValues         = 20_000    // of the variables, also inside one another
)

// request is what a client asks for.
type request struct {
	query, operation string // the text, and the name of the operation in it, if one is given
	variables        map[string]any
}

// readRequest reads a request by GET or POST. It refuses one without a principal, by another method, or
// with a body that is too large, of another type or not JSON. Its errors never show the body.
func readRequest(w http.ResponseWriter, req *http.Request) (request, error) {
	if _, err := model.PrincipalFrom(req.Context()); err != nil {
		return request{}, err
	}
	switch req.Method {
	case http.MethodPost:
		return readBody(w, req)
	case http.MethodGet:
		return readQueryString(req)
	}
	w.Header().Set("Allow", "GET, POST")
	return request{}, model.Errorf(model.CodeMethodNotAllowed, "", "send queries and mutations by POST, or queries by GET")
}

// errInvalidBody is for a body that has not the form of a request.
var errInvalidBody = model.Errorf(model.CodeInvalidJSON, "",
	`the body must be a JSON object with "query" and, if needed, "variables" and "operationName"`)

func readBody(w http.ResponseWriter, req *http.Request) (request, error) {
	// A page of another origin can send other types without asking, with its user's cookies or address.
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return request{}, model.Errorf(model.CodeUnsupportedMediaType, "", "send the request as Content-Type: application/json")
	}
	errTooLarge := model.Errorf(model.CodePayloadTooLarge, "", "a request has at most %d KB", maxBody>>10)
	if req.ContentLength > maxBody {
		return request{}, errTooLarge
	}
	body := bytes.NewBuffer(make([]byte, 0, max(req.ContentLength, 0)+bytes.MinRead))
	if _, err := body.ReadFrom(http.MaxBytesReader(w, req.Body, maxBody)); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return request{}, errTooLarge
		}
		if model.AsError(err) != nil {
			return request{}, err
		}
		return request{}, errInvalidBody
	}
	var sent struct {
		Query, OperationName  string
		Variables, Extensions json.RawMessage
	}
	if json.Unmarshal(body.Bytes(), &sent) != nil || sent.Query == "" || !isObject(sent.Extensions) || !isObject(sent.Variables) {
		return request{}, errInvalidBody
	}
	variables, err := readVariables(sent.Variables)
	return request{sent.Query, sent.OperationName, variables}, err
}

func readQueryString(req *http.Request) (request, error) {
	sent, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return request{}, model.Errorf(model.CodeInvalidField, "", "the query string of the address is not well formed")
	}
	for _, name := range []string{"variables", "extensions"} {
		if text := []byte(sent.Get(name)); len(text) > 0 && !(json.Valid(text) && isObject(bytes.TrimSpace(text))) {
			return request{}, model.Errorf(model.CodeInvalidJSON, name, "must be a JSON object")
		}
	}
	variables, err := readVariables([]byte(sent.Get("variables")))
	return request{sent.Get("query"), sent.Get("operationName"), variables}, err
}

// isObject says whether valid JSON is an object or stands for none.
func isObject(text []byte) bool {
	return len(text) == 0 || text[0] == '{' || bytes.Equal(text, []byte("null"))
}

// readVariables reads an object of valid JSON, or none. Numbers stay as they were written: what no float
// holds is for the input to refuse.
func readVariables(text []byte) (map[string]any, error) {
	switch depth, values := extentOf(text); {
	case depth > maxVariablesDepth:
		return nil, model.Errorf(model.CodeTooManyItems, "", "the variables are nested more than %d levels deep", maxVariablesDepth)
	case values > maxValues:
		return nil, model.Errorf(model.CodeTooManyItems, "", "the variables have more than %d values: send them in several requests", maxValues)
	}
	if len(text) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var variables map[string]any
	if err := decoder.Decode(&variables); err != nil && !errors.Is(err, io.EOF) {
		return nil, errInvalidBody
	}
	return variables, nil
}

// extentOf is how deep valid JSON is nested, and about how many values it has, found before any is made:
// a small text can make many large ones.
func extentOf(text []byte) (depth, values int) {
	level, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			level++
			depth, values = max(depth, level), values+1
		case c == '}', c == ']':
			level--
		case c == ',':
			values++
		}
	}
	return depth, values
}
