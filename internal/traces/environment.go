package traces

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// The variables that are read here too. OpenTelemetry reads the others by itself.
const (
	disabledVariable   = "OTEL_SDK_DISABLED"
	endpointVariable   = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesVariable     = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	samplerVariable    = "OTEL_TRACES_SAMPLER"
	samplerArgVariable = "OTEL_TRACES_SAMPLER_ARG"
	resourceVariable   = "OTEL_RESOURCE_ATTRIBUTES"
)

const (
	defaultEndpoint = "http://localhost:4318"
	tracesPath      = "/v1/traces"
)

// endpoint is the whole URL that spans are sent to.
func (c Config) endpoint() string {
	if c.Endpoint == "" {
		if all := variable(tracesVariable); all != "" {
			return all
		}
	}
	return strings.TrimSuffix(cmp.Or(c.Endpoint, variable(endpointVariable), defaultEndpoint), "/") + tracesPath
}

func isDisabled() bool { return strings.EqualFold(variable(disabledVariable), "true") }

// variable is a variable of the environment as OpenTelemetry reads it.
func variable(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// checks are what OpenTelemetry's own reading of its variables does not refuse: a bad value would be as if there were none.
var checks = map[string]func(value string) error{
	disabledVariable:                 isBool,
	endpointVariable:                 CheckEndpoint,
	tracesVariable:                   CheckEndpoint,
	samplerVariable:                  isSampler,
	samplerArgVariable:               isRatio,
	resourceVariable:                 arePairs,
	"OTEL_BSP_MAX_QUEUE_SIZE":        isNumber,
	"OTEL_BSP_SCHEDULE_DELAY":        isNumber,
	"OTEL_BSP_EXPORT_TIMEOUT":        isNumber,
	"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": isNumber,
}

// exporterPrefixes are what the exporter's variables begin with: of all that is sent, and of traces alone.
var exporterPrefixes = []string{"OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"}

// exporterChecks are those of the variables that begin with each of the prefixes.
var exporterChecks = map[string]func(value string) error{
	"HEADERS":     areHeaders,
	"TIMEOUT":     isNumber,
	"COMPRESSION": oneOf("none", "gzip"),
	"PROTOCOL":    oneOf("http/protobuf", "http/json"),
	"CERTIFICATE": isCertificate,
}

// checkEnvironment refuses values that OpenTelemetry would not understand.
func checkEnvironment() error {
	all := maps.Clone(checks)
	for _, prefix := range exporterPrefixes {
		for name, check := range exporterChecks {
			all[prefix+name] = check
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value := variable(name); value != "" {
			if err := all[name](value); err != nil {
				return fmt.Errorf("%s %w", name, err)
			}
		}
	}
	for _, prefix := range exporterPrefixes {
		certificate, key := variable(prefix+"CLIENT_CERTIFICATE"), variable(prefix+"CLIENT_KEY")
		if (certificate == "") != (key == "") {
			return fmt.Errorf("%sCLIENT_CERTIFICATE and %sCLIENT_KEY must be set together", prefix, prefix)
		}
		if certificate != "" {
			if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
				return fmt.Errorf("%sCLIENT_CERTIFICATE and %sCLIENT_KEY must name a certificate and its key, in PEM", prefix, prefix)
			}
		}
	}
	return nil
}

// CheckEndpoint says whether a text is the URL of a collector. Errors do not repeat it, since it may hold a password.
func CheckEndpoint(text string) error {
	to, err := url.Parse(text)
	switch {
	case err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" || to.RawQuery != "" || to.Fragment != "":
		return errors.New("must be the URL of a collector that takes OTLP over HTTP, such as " + defaultEndpoint)
	case to.User != nil:
		return errors.New("must not have a user or password in it, which OTEL_EXPORTER_OTLP_HEADERS is for")
	}
	return nil
}

// samplers are those that OTEL_TRACES_SAMPLER may name, of which the argument is a ratio.
var samplers = map[string]func(ratio float64) sdk.Sampler{
	"always_on":                func(float64) sdk.Sampler { return sdk.AlwaysSample() },
	"always_off":               func(float64) sdk.Sampler { return sdk.NeverSample() },
	"traceidratio":             sdk.TraceIDRatioBased,
	"parentbased_always_on":    func(float64) sdk.Sampler { return sdk.ParentBased(sdk.AlwaysSample()) },
	"parentbased_always_off":   func(float64) sdk.Sampler { return sdk.ParentBased(sdk.NeverSample()) },
	"parentbased_traceidratio": func(ratio float64) sdk.Sampler { return sdk.ParentBased(sdk.TraceIDRatioBased(ratio)) },
}

// environmentSampler is the sampler that the environment names, after that was checked.
func environmentSampler() sdk.Sampler {
	ratio, err := strconv.ParseFloat(variable(samplerArgVariable), 64)
	if err != nil { // there is none
		ratio = 1
	}
	return samplers[cmp.Or(strings.ToLower(variable(samplerVariable)), "parentbased_always_on")](ratio)
}

func isSampler(value string) error {
	return oneOf(slices.Sorted(maps.Keys(samplers))...)(strings.ToLower(value))
}

func isRatio(value string) error {
	if ratio, err := strconv.ParseFloat(value, 64); err != nil || !(ratio >= 0 && ratio <= 1) {
		return errors.New("must be a number from 0 to 1")
	}
	return nil
}

func isNumber(value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 1 {
		return errors.New("must be a whole number above zero")
	}
	return nil
}

// number is the value of a variable that was checked.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(variable(name)); err == nil {
		return n
	}
	return otherwise
}

func isBool(value string) error { return oneOf("true", "false")(strings.ToLower(value)) }

func oneOf(values ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(values, value) {
			return errors.New("must be one of " + strings.Join(values, ", "))
		}
		return nil
	}
}

var errPairs = errors.New("must be name=value pairs with commas between them, and other than ASCII letters and digits as %XX")

func arePairs(value string) error {
	for pair := range strings.SplitSeq(value, ",") {
		name, text, found := strings.Cut(pair, "=")
		if _, err := url.PathUnescape(text); err != nil || !found || strings.TrimSpace(name) == "" {
			return errPairs
		}
	}
	return nil
}

// headerName is what HTTP takes as one.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func areHeaders(value string) error {
	for pair := range strings.SplitSeq(value, ",") {
		if name, _, _ := strings.Cut(pair, "="); !headerName.MatchString(strings.TrimSpace(name)) {
			return errPairs
		}
	}
	return arePairs(value)
}

func isCertificate(value string) error {
	text, err := os.ReadFile(value)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(text) {
		return errors.New("must be a file with certificates, in PEM")
	}
	return nil
}
