// Package traces sends what package span tells of requests to a collector, by OTLP over HTTP. A collector that is slow or
// away costs spans and never a request: they wait in a queue of bounded length, and what does not fit is dropped.
package traces

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tributary/internal/span"
)

// maxLinks is how many requests the span of a transaction names: as many as payments share one at most.
const maxLinks = 1000

// Config says where traces go.
type Config struct {
	// Endpoint is the URL of the collector, to which /v1/traces is added; "" is that of the environment.
	Endpoint string
	Version  string // of the server
	Logger   *slog.Logger
}

// Traces are those of one server. The zero value has none.
type Traces struct {
	Tracer span.Tracer

	provider *sdk.TracerProvider
	exporter *warning
}

// Open begins to send what is traced, until it is closed. The environment says the rest, by the variables of
// OpenTelemetry that docs/OPERATIONS.md lists. Errors name the variable that has a bad value, and never the value. It
// does not wait for the collector. If the environment disables OpenTelemetry there are none.
func Open(ctx context.Context, c Config) (*Traces, error) {
	if err := checkEnvironment(); err != nil {
		return nil, err
	}
	if isDisabled() {
		c.Logger.Warn("no traces are sent: OTEL_SDK_DISABLED is true")
		return &Traces{}, nil
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName("tributary"), semconv.ServiceVersion(c.Version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", resourceVariable, errPairs)
	}
	endpoint := c.endpoint()
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithProxy(unredirected)}
	if strings.HasPrefix(strings.ToLower(endpoint), "http:") { // certificates that the environment has for others are no error
		options = append(options, otlptracehttp.WithTLSClientConfig(nil))
	}
	client, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("traces cannot be sent: %w", err)
	}
	limits := sdk.NewSpanLimits()
	limits.LinkCountLimit = maxLinks
	queue := number("OTEL_BSP_MAX_QUEUE_SIZE", sdk.DefaultMaxQueueSize)
	batch := min(queue, number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", sdk.DefaultMaxExportBatchSize))
	exporter := &warning{SpanExporter: client, log: c.Logger, room: int64(queue + batch)}
	provider := sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithSampler(newSampler(environmentSampler())),
		sdk.WithRawSpanLimits(limits), sdk.WithSpanProcessor(counted{sdk.NewBatchSpanProcessor(exporter), exporter}))
	c.Logger.Info("traces are sent", "url", endpoint)
	return &Traces{Tracer: span.NewTracer(provider), provider: provider, exporter: exporter}, nil
}

// unredirected is the proxy of the environment for a request. A collector that sends it on to another address is refused: the
// headers that the environment gives, which may be a key, are for the one that was named; and of the answer to a request that
// has become a GET would be taken that it had the spans.
func unredirected(r *http.Request) (*url.URL, error) {
	if r.Response != nil {
		return nil, errors.New("the collector redirects to another address")
	}
	return http.ProxyFromEnvironment(r)
}

// closeTime is how long Close takes at most.
const closeTime = time.Second

// Close sends what has not been sent yet, as far as the context and a second of time allow. What is lost is logged: it is no
// reason for anything else to fail.
func (t *Traces) Close(ctx context.Context) {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	if err := t.provider.Shutdown(ctx); errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		_ = t.exporter.Shutdown(ctx) // which the provider does after what it still sends
		t.exporter.log.Warn("the last traces were not sent: the collector is too slow")
	}
}
