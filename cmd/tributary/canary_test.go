package main_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	export "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"tributary/internal/postgres"
	"tributary/internal/tracetest"
)

// TestServe_logsNobody runs a server at the level debug, makes all go wrong that can, and looks for people and tokens
// in its log, in that of its Postgres, in the answers to what was refused, and in its traces.
func TestServe_logsNobody(t *testing.T) {
	t.Parallel()

	t.Run("on its own Postgres", func(t *testing.T) {
		t.Parallel()
		op, dir := onDataDir(t)
		r := newCanaryRun(t, op, "")
		pg, err := postgres.Start(t.Context(), postgres.Config{DataDir: dir, Logger: slog.New(slog.DiscardHandler)}) // the server's
		require.NoError(t, err)
		t.Cleanup(func() { _ = pg.Stop(context.Background()) })
		r.admin = pg.AdminURL()
		require.Empty(t, r.run(filepath.Join(dir, "postgres.log")))
	})

	t.Run("on a Postgres that is set up as OPERATIONS.md says", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, onTalkative(t, documented(t, "ini"), documented(t, "sql")))
	})

	t.Run("on a Postgres that lets the role see to it", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, onTalkative(t, documented(t, "ini"), "ALTER ROLE tributary SUPERUSER"))
	})

	t.Run("and would be found in traces", func(t *testing.T) {
		t.Parallel()
		text := &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: canaries[0]}}
		attributes := []*common.KeyValue{{Key: "planted", Value: text}}
		for where, span := range map[string]*trace.Span{
			"name": {Name: "GET /" + canaries[0]}, "attribute": {Attributes: attributes}, "status": {Status: &trace.Status{Message: canaries[0]}}, "state": {TraceState: "vendor=" + canaries[0]},
			"event": {Events: []*trace.Span_Event{{Attributes: attributes}}}, "link": {Links: []*trace.Span_Link{{Attributes: attributes}}},
		} {
			collector := tracetest.New(t)
			body, err := proto.Marshal(&export.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{span}}}}}})
			require.NoError(t, err)
			res, err := http.Post(collector.URL+tracetest.Path, "application/x-protobuf", bytes.NewReader(body))
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Len(t, search("traces", collector.Text(), canaries), 1, where)
		}
	})

	t.Run("and would be found", func(t *testing.T) {
		t.Parallel()
		found := strings.Join(onTalkative(t, "", ""), "\n")
		for _, how := range []string{"STATEMENT:", "DETAIL:  Failing row", "DETAIL:  Key", "DETAIL:  Failed process was running", "DETAIL:  Process", "duration:", "DETAIL:  parameters:", "invalid input syntax"} {
			require.Contains(t, found, how)
		}
	})
}

// documented is what OPERATIONS.md has to be set, in one of two languages.
func documented(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/OPERATIONS.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "## What Postgres logs\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(section)
	require.Len(t, block, 2)
	return block[1]
}

// onTalkative is what is found with a Postgres that logs as much as one does that somebody looks into, but for some
// settings of the server and statements about the role.
func onTalkative(t *testing.T, settings, statements string) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tributary-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := postgres.Config{DataDir: dir, Logger: slog.New(slog.DiscardHandler), Settings: map[string]string{
		"log_min_messages": "warning", "log_min_error_statement": "error", "log_error_verbosity": "default",
		"log_min_duration_statement": "0", "log_parameter_max_length": "-1", "log_lock_waits": "on", "fsync": "off",
	}}
	for _, setting := range regexp.MustCompile(`(?m)^(\w+) = (\w+)`).FindAllStringSubmatch(settings, -1) {
		config.Settings[setting[1]] = setting[2]
	}
	pg, err := postgres.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = pg.Stop(context.Background()) })
	admin := connect(t, pg.AdminURL())
	for statement := range strings.SplitSeq(statements, ";") {
		_, err := admin.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	op := operator{t: t, flags: []string{"--data-dir", t.TempDir(), "--database-url", pg.URL()}}
	return newCanaryRun(t, op, pg.AdminURL()).run(filepath.Join(dir, "postgres.log"))
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
