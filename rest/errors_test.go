package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"tributary/model"
	"tributary/openapi"
	"tributary/rest"
)

func contract(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.YAML)
	require.NoError(t, err)
	return doc
}

func TestStatusOf(t *testing.T) {
	t.Parallel()

	t.Run("gives every code the status that the contract says", func(t *testing.T) {
		t.Parallel()
		want := map[string]int{}
		for _, row := range regexp.MustCompile(`(?m)^\| (\d{3}) \| (.*) \|$`).FindAllStringSubmatch(contract(t).Info.Description, -1) {
			status, err := strconv.Atoi(row[1])
			require.NoError(t, err)
			for _, reason := range strings.Split(row[2], ", ") {
				want[strings.Trim(reason, "`")] = status
			}
		}
		got := map[string]int{}
		for _, code := range model.Codes {
			got[code.Reason()] = rest.StatusOf(code)
		}
		require.Empty(t, cmp.Diff(want, got))
	})

	t.Run("takes an unknown code for a fault of ours", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, http.StatusInternalServerError, rest.StatusOf("NEW"))
	})
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	write := func(err error) *http.Response {
		recorder := httptest.NewRecorder()
		rest.WriteError(recorder, request("GET", "/", ""), err)
		return recorder.Result()
	}

	t.Run("writes an envelope for every code", func(t *testing.T) {
		t.Parallel()
		schema := contract(t).Components.Schemas["ErrorResponse"].Value
		for _, code := range model.Codes {
			res := write(fmt.Errorf("wrapped: %w", model.Errorf(code, "", "a message")))
			require.Equal(t, rest.StatusOf(code), res.StatusCode)
			var envelope any
			require.NoError(t, json.NewDecoder(res.Body).Decode(&envelope))
			require.NoError(t, schema.VisitJSON(envelope, openapi3.EnableJSONSchema2020()))
			require.Equal(t, code.Reason(), envelope.(map[string]any)["error"].(map[string]any)["reason"])
		}
	})

	t.Run("writes the documented shape", func(t *testing.T) {
		t.Parallel()
		body, err := io.ReadAll(write(model.Errorf(model.CodeEventLimitReached, "", "Account event limit reached")).Body)
		require.NoError(t, err)
		require.Equal(t, `{"status":"error","error":{"code":429,"message":"Account event limit reached","reason":"event_limit_reached","request_id":"req-1"}}`+"\n", string(body))
	})

	t.Run("sets the headers that belong to an error", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "Bearer", write(model.ErrUnauthorized()).Header.Get("WWW-Authenticate"))
		require.Equal(t, "1", write(model.Errorf(model.CodeUnavailable, "", "")).Header.Get("Retry-After"))
		require.Equal(t, "3600", write(model.Errorf(model.CodeEventLimitReached, "", "")).Header.Get("Retry-After"))
		require.Equal(t, "2", write(&model.Error{Code: model.CodeUnavailable, RetryAfter: 1100 * time.Millisecond}).Header.Get("Retry-After"))
	})

	t.Run("masks what is not meant for clients", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{errors.New("password=x"), model.Errorf(model.CodeInternal, "", "password=x")} {
			res := write(err)
			body, readErr := io.ReadAll(res.Body)
			require.NoError(t, readErr)
			require.Equal(t, http.StatusInternalServerError, res.StatusCode)
			require.NotContains(t, string(body), "password")
			require.Contains(t, string(body), `"reason":"internal"`)
		}
	})

	t.Run("logs a database that cannot answer once, with its cause", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.err = fmt.Errorf("%w: %w", model.Errorf(model.CodeUnavailable, "", "try again"), errors.New("the cause"))
		r := request("POST", path, dataFastExample)
		r = r.WithContext(model.WithRequestID(r.Context(), t.Name()))
		recorder := httptest.NewRecorder()
		a.handler.ServeHTTP(recorder, r)
		require.Equal(t, http.StatusServiceUnavailable, recorder.Code)
		require.NotContains(t, recorder.Body.String(), "the cause")

		lines := logged.about(t.Name())
		require.Len(t, lines, 1)
		require.Equal(t, "WARN", lines[0]["level"])
		require.Contains(t, lines[0]["error"], "the cause")
	})

	t.Run("asks to try again after a timeout", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, http.StatusServiceUnavailable, write(fmt.Errorf("query: %w", context.DeadlineExceeded)).StatusCode)
	})
}

// goneClient is a client whose connection is gone.
type goneClient struct{ http.ResponseWriter }

func (goneClient) Write([]byte) (int, error) {
	return 0, &net.OpError{Op: "write", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(203, 0, 113, 9)}, Err: errors.New("connection reset by peer")}
}

func TestHandler_clientGone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	answer := httptest.NewRecorder()
	r := request(http.MethodPost, events, event("pageview", ""))
	r = r.WithContext(model.WithRequestID(r.Context(), "gone"))
	a.handler.ServeHTTP(goneClient{answer}, r)
	require.Len(t, a.views, 1)
	require.Equal(t, http.StatusOK, answer.Code)
	require.Empty(t, logged.about("gone"), "an address must not be logged")
}

func TestHandler(t *testing.T) {
	t.Parallel()

	t.Run("knows exactly the contract's paths, methods and query parameters", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		for path, item := range contract(t).Paths.Map() {
			methods := []string{}
			for method, operation := range item.Operations() {
				methods = append(methods, method)
				for _, parameter := range operation.Parameters {
					res := a.do(t, request(method, path+"?"+parameter.Value.Name+"=a", ""))
					body, err := io.ReadAll(res.Body)
					require.NoError(t, err)
					require.NotContains(t, string(body), "unknown_parameter", "%s %s %s", method, path, parameter.Value.Name)
				}
			}
			if slices.Contains(methods, "GET") {
				methods = append(methods, "HEAD")
			}
			slices.Sort(methods)
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
				if slices.Contains(methods, method) {
					continue
				}
				res := a.do(t, request(method, path, ""))
				require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode, "%s %s", method, path)
				require.Equal(t, strings.Join(methods, ", "), res.Header.Get("Allow"))
				require.Equal(t, openapi.ErrorReasonMethodNotAllowed, a.failure(t, res).Reason)
			}
		}
		for _, unknown := range []string{"/api", "/api/", "/api/v1/payments/", "/api/v2/payments", "/api/v1/Payments"} {
			reason, _ := a.fails(t, http.StatusNotFound, request("POST", unknown, ""))
			require.Equal(t, "not_found", reason)
		}
	})

	t.Run("wants JSON", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		for _, method := range []string{"POST", "DELETE"} {
			for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", "application/jsonx", "/"} {
				r := request(method, path, dataFastExample)
				r.Header.Set("Content-Type", contentType)
				reason, _ := a.fails(t, http.StatusUnsupportedMediaType, r)
				require.Equal(t, "unsupported_media_type", reason)
			}
		}
		r := request("POST", path, dataFastExample)
		r.Header.Set("Content-Type", `Application/JSON; charset="utf-8"`)
		require.Equal(t, http.StatusOK, a.do(t, r).StatusCode)
	})

	t.Run("refuses a body over 64 KB and closes the connection", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		fits := dataFastExample + strings.Repeat(" ", rest.MaxBody-len(dataFastExample))
		a.ok(t, "POST", path, fits)
		for _, method := range []string{"POST", "DELETE"} {
			for _, length := range []int64{rest.MaxBody + 1, -1} { // declared, chunked
				r := request(method, path, fits+" ")
				r.ContentLength = length
				if length > 0 {
					r.Body = io.NopCloser(failingReader{}) // it need not be read
				}
				res := a.do(t, r)
				require.Equal(t, "close", res.Header.Get("Connection"))
				require.Equal(t, openapi.ErrorReasonPayloadTooLarge, a.failure(t, res).Reason)
			}
		}
	})

	t.Run("refuses a body that breaks off", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		r := request("POST", path, "")
		r.Header.Set("Content-Type", "application/json")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(dataFastExample), failingReader{}))
		r.ContentLength = -1
		reason, _ := a.fails(t, http.StatusBadRequest, r)
		require.Equal(t, "invalid_json", reason)
		require.Empty(t, a.payments)
	})

	t.Run("names fields as the dialect does when the resolver refuses", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.err = model.Errorf(model.CodeVisitorNotFound, "visitorId", "visitor not found")
		for body, want := range map[string]string{dataFastExample: "datafast_visitor_id", fauryaExample: "faurya_visitor_id"} {
			reason, field := a.fails(t, http.StatusNotFound, request("POST", path, body))
			require.Equal(t, "visitor_not_found", reason)
			require.Equal(t, want, field)
		}
	})

	t.Run("says whether it is alive and ready", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		require.Equal(t, `{"status":"success","data":{"state":"alive"}}`, a.ok(t, "GET", "/healthz?probe=1", ""))
		require.Equal(t, `{"status":"success","data":{"state":"ready"}}`, a.ok(t, "GET", "/readyz", ""))
		a.err = errors.New("no database")
		require.Equal(t, `{"status":"success","data":{"state":"alive"}}`, a.ok(t, "GET", "/healthz", ""))
		reason, _ := a.fails(t, http.StatusServiceUnavailable, request("GET", "/readyz", ""))
		require.Equal(t, "unavailable", reason)
	})
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
