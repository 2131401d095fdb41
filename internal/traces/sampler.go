package traces

import (
	"context"
	"crypto/rand"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tributary/internal/ratelimit"
)

// broughtRate is how many requests a second are recorded because the trace that they bring is, in the mean of ten
// seconds. Many proxies pass on what clients send: without a limit, these could have all of their requests recorded.
const broughtRate = 10

// sampler asks another one about requests. What is below a request that is recorded is recorded too, and so is a
// transaction that requests share if one of them is: package span makes neither for others.
type sampler struct {
	sdk.Sampler
	brought *ratelimit.Limiter[struct{}]
}

func newSampler(of sdk.Sampler) sampler {
	return sampler{of, ratelimit.New[struct{}](broughtRate)}
}

// ShouldSample implements sdk.Sampler.
func (s sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	if len(p.Links) > 0 || parent.IsValid() && !parent.IsRemote() {
		return sdk.SamplingResult{Decision: sdk.RecordAndSample}
	}
	if parent.IsRemote() {
		// Who names a trace has chosen its id, and could choose one that is within every ratio.
		_, _ = rand.Read(p.TraceID[:])
		if parent.IsSampled() && !s.brought.Admit(struct{}{}, time.Now()).OK {
			p.ParentContext = context.Background() // as if it came without
		}
	}
	return s.Sampler.ShouldSample(p)
}
