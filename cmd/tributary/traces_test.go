package main_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/tracetest"
)

// tracedOperator is an operator of a fresh database, with a website, in an environment.
func tracedOperator(t *testing.T, env ...string) (op operator, key string) {
	t.Helper()
	op, _ = onDatabase(t)
	_, key = op.newWebsite("shop.example.com")
	op.env = env
	return op, key
}

func TestServe_traces(t *testing.T) {
	t.Parallel()

	t.Run("are sent to the end, with what the environment says", func(t *testing.T) {
		t.Parallel()
		collector := tracetest.New(t)
		op, key := tracedOperator(t, "OTEL_EXPORTER_OTLP_HEADERS=api-key=hunter2", "OTEL_SERVICE_NAME=ledger", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test",
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://192.0.2.1:4318", "OTEL_BSP_SCHEDULE_DELAY=3600000")
		server := op.serve("--traces", collector.URL)
		require.Contains(t, server.log.String(), `"traces are sent","url":"`+collector.URL+tracetest.Path+`"`)
		require.Equal(t, http.StatusOK, server.pay(key, "t1", ""))
		require.Empty(t, collector.Spans(), "it is no time yet")
		server.stopped(server.signal())
		require.Len(t, collector.Spans(), 2)
		require.Contains(t, collector.Tree(), "-> commit payments\n")
		require.Equal(t, "hunter2", collector.Headers()[0].Get("Api-Key"))
		text := collector.Text()
		for _, said := range []string{`"ledger"`, `"v0.0.0-test"`, `"deployment.environment.name"`} {
			require.Contains(t, text, said)
		}
		require.NotContains(t, server.log.String(), "hunter2")
	})

	t.Run("go to where the environment says if they are to", func(t *testing.T) {
		t.Parallel()
		for variable, path := range map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": tracetest.Path} {
			collector := tracetest.New(t)
			op, key := tracedOperator(t, variable+"="+collector.URL+path)
			server := op.serve("--traces", "otlp")
			require.Equal(t, http.StatusOK, server.pay(key, "t1", ""))
			server.stopped(server.signal())
			require.Len(t, collector.Spans(), 2, variable)
		}
	})

	for name, c := range map[string]struct {
		env   string
		flags []string
	}{
		"are not sent without the flag":               {"OTEL_TRACES_SAMPLER=always_on", nil},
		"are not sent if OpenTelemetry is disabled":   {"OTEL_SDK_DISABLED=true", []string{"--traces", "otlp"}},
		"are not sent of what the sampler leaves out": {"OTEL_TRACES_SAMPLER=always_off", []string{"--traces", "otlp"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := tracetest.New(t)
			op, key := tracedOperator(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, c.env)
			server := op.serve(c.flags...)
			require.Equal(t, http.StatusOK, server.pay(key, "t1", ""))
			server.stopped(server.signal())
			require.Empty(t, collector.Requests())
			require.NotContains(t, server.log.String(), "trace_id")
		})
	}
}

func TestServe_badTraces(t *testing.T) {
	t.Parallel()
	for setting, says := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=hunter2":                  "must be the URL of a collector",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=grpc://hunter2":    "must be the URL of a collector",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://u:hunter2@a":       "must not have a user",
		"OTEL_EXPORTER_OTLP_HEADERS=hunter2":                   "must be name=value pairs",
		"OTEL_EXPORTER_OTLP_HEADERS=a hunter2=b":               "must be name=value pairs",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS=a=%hunter2":         "must be name=value pairs",
		"OTEL_EXPORTER_OTLP_TIMEOUT=hunter2":                   "must be a whole number above zero",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                     "must be one of http/protobuf, http/json",
		"OTEL_EXPORTER_OTLP_COMPRESSION=hunter2":               "must be one of none, gzip",
		"OTEL_EXPORTER_OTLP_CERTIFICATE=/hunter2":              "must be a file with certificates",
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE=main.go": "must be set together",
		"OTEL_TRACES_SAMPLER=hunter2":                          "must be one of always_off, always_on, parentbased_always_off",
		"OTEL_TRACES_SAMPLER_ARG=1.5":                          "must be a number from 0 to 1",
		"OTEL_BSP_MAX_QUEUE_SIZE=-1":                           "must be a whole number above zero",
		"OTEL_RESOURCE_ATTRIBUTES=hunter2":                     "must be name=value pairs",
		"OTEL_SDK_DISABLED=hunter2":                            "must be one of true, false",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(setting, "=")
			op := operator{t: t, env: []string{setting}}
			o := op.try("serve", "--listen", "127.0.0.1:0", "--traces", "otlp")
			require.Equal(t, 1, o.code)
			require.Contains(t, o.stderr, "--traces: "+name+" ")
			require.Contains(t, o.stderr, says)
			require.Equal(t, 1, strings.Count(o.stderr, "\n"), "%s", o.stderr)
			require.NotContains(t, o.stderr, "hunter2")
		})
	}
}

// TestServe_badCollector has collectors that do not take spans, of which nobody is to notice but who reads the log.
func TestServe_badCollector(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(strings.Repeat("no\n", 10_000)))
	}))
	t.Cleanup(refusing.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	for name, c := range map[string]struct{ url, says string }{
		"is away":       {"http://127.0.0.1:1", "traces are lost"},
		"refuses all":   {refusing.URL, "traces are lost"},
		"never answers": {"http://" + silent.Addr().String(), "the last traces were not sent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, key := tracedOperator(t, "OTEL_BSP_SCHEDULE_DELAY=1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1", "OTEL_BSP_MAX_QUEUE_SIZE=10")
			server := op.serve("--traces", c.url)
			for i := range 50 {
				require.Equal(t, http.StatusOK, server.pay(key, fmt.Sprint("t", i), ""))
			}
			server.stopped(server.signal())
			require.Equal(t, 1, strings.Count(server.log.String(), c.says))
			for line := range strings.Lines(server.log.String()) {
				require.Less(t, len(line), 1000)
			}
		})
	}
}

// TestServe_sampling has somebody behind a proxy that passes on what clients send ask for traces.
func TestServe_sampling(t *testing.T) {
	t.Parallel()
	const requests, atOnce = 500, 100
	ask := func(t *testing.T, server *running, method, path, key, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.place.text("url")+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header = http.Header{"Traceparent": {"00-4bf92f3577b34da60000000000000001-00f067aa0ba902b7-01"}, "Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
	// sent is how many of the requests are recorded that all want to be, in a trace whose id is within every ratio.
	sent := func(t *testing.T, env ...string) (recorded int) {
		collector := tracetest.New(t)
		op, _ := onDatabase(t)
		op.env = append(env, "OTEL_SERVICE_NAME=tributary")
		server := op.serve("--traces", collector.URL, "--trusted-proxy", "127.0.0.1")
		for range requests {
			ask(t, server, http.MethodGet, "/healthz", "", "")
		}
		server.stopped(server.signal())
		for _, span := range collector.Spans() {
			require.Equal(t, "4bf92f3577b34da60000000000000001", hex.EncodeToString(span.TraceId))
		}
		return len(collector.Spans())
	}

	t.Run("does some of what a proxy asks for, and not all", func(t *testing.T) {
		t.Parallel()
		recorded := sent(t, "OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.001")
		require.GreaterOrEqual(t, recorded, atOnce)
		require.Less(t, recorded, requests/2)
	})

	t.Run("has the transaction of a request that is recorded", func(t *testing.T) {
		t.Parallel()
		collector := tracetest.New(t)
		op, key := tracedOperator(t, "OTEL_TRACES_SAMPLER=parentbased_always_off")
		server := op.serve("--traces", collector.URL, "--trusted-proxy", "127.0.0.1")
		require.Equal(t, http.StatusOK, server.pay(key, "t1", ""), "without a trace")
		ask(t, server, http.MethodPost, "/api/v1/payments", key, payment("t2"))
		server.stopped(server.signal())
		require.Len(t, collector.Spans(), 2)
		require.Contains(t, collector.Tree(), "commit payments ")
	})

	t.Run("is not decided by an id that a client chooses", func(t *testing.T) {
		t.Parallel()
		require.Less(t, sent(t, "OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.001"), requests/10)
	})
}
