package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tributary/internal/traces"
	"tributary/model"
)

// The types of flags and arguments. Each is only made from text that is valid.

// directory is an absolute path.
type directory string

func (d *directory) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must name a directory")
	}
	path, err := filepath.Abs(string(text))
	*d = directory(path)
	return err
}

// address is a host, which may be empty for all of the machine's, and a port.
type address string

func (l *address) UnmarshalText(text []byte) error {
	if _, _, err := net.SplitHostPort(string(text)); err != nil {
		return fmt.Errorf("%s is not HOST:PORT, such as %s", text, defaultListen)
	}
	*l = address(text)
	return nil
}

// url is where this machine reaches a server that listens on the address.
func (l address) url() string {
	host, port, _ := net.SplitHostPort(string(l))
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// folder is a web address that ends with a slash.
type folder string

func (f *folder) UnmarshalText(text []byte) error {
	address, err := url.Parse(string(text))
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" || address.RawQuery != "" {
		return errors.New("must be a web address, such as https://www.example.com/rates/")
	}
	*f = folder(strings.TrimSuffix(string(text), "/") + "/")
	return nil
}

// collector is the URL of a collector of traces, or otlp for that of the environment.
type collector string

// fromEnvironment is the collector that the OTEL_… variables name.
const fromEnvironment collector = "otlp"

func (c *collector) UnmarshalText(text []byte) error {
	*c = collector(text)
	if *c == fromEnvironment {
		return nil
	}
	if err := traces.CheckEndpoint(string(text)); err != nil {
		return fmt.Errorf("%w, or otlp for what OTEL_EXPORTER_OTLP_ENDPOINT says", err)
	}
	return nil
}

// hostname is a DNS name in lower case, as a browser's location.hostname shows it.
type hostname string

const (
	hostnameMax = 253 // characters, by RFC 1035
	labelMax    = 63
	labelChars  = "abcdefghijklmnopqrstuvwxyz0123456789-"
)

func (h *hostname) UnmarshalText(text []byte) error {
	name := string(text)
	switch {
	case strings.ContainsAny(name, "/:@?#"):
		return errors.New("must be a host name only, such as shop.example.com, without scheme, port or path")
	case name != strings.ToLower(name):
		return errors.New("must be in lower case")
	case len(name) > hostnameMax:
		return fmt.Errorf("must have at most %d characters", hostnameMax)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > labelMax || strings.Trim(label, "-") != label || strings.Trim(label, labelChars) != "" {
			return errors.New("must be a host name such as shop.example.com; write other than ASCII letters in their xn--… form")
		}
	}
	*h = hostname(name)
	return nil
}

// network is an address, or a range of them.
type network netip.Prefix

func (n *network) UnmarshalText(text []byte) error {
	if address, err := netip.ParseAddr(string(text)); err == nil {
		*n = network(netip.PrefixFrom(address, address.BitLen()))
		return nil
	}
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return errors.New("must be an address such as 10.0.0.7, or a network such as 10.0.0.0/8")
	}
	*n = network(prefix)
	return nil
}

// origin is that of a page, as browsers write it, or * for all.
type origin string

func (o *origin) UnmarshalText(text []byte) error {
	address, err := url.Parse(string(text))
	switch {
	case string(text) == "*":
	case err != nil || address.Scheme+"://"+address.Host != string(text) || address.Host == "" || address.Scheme != "https" && address.Scheme != "http":
		return errors.New("must be an origin such as https://app.example.com, without a path, or *")
	case strings.ToLower(string(text)) != string(text):
		return errors.New("must be in lower case, as browsers write it")
	case address.Port() == "443" && address.Scheme == "https" || address.Port() == "80" && address.Scheme == "http":
		return errors.New("must not have the port that its scheme has anyway: browsers do not write it")
	}
	*o = origin(text)
	return nil
}

// title is the name of something, for people.
type title string

func (t *title) UnmarshalText(text []byte) error {
	*t = title(text)
	return plain(model.CheckName(string(text)))
}

// zone is the name of a time zone.
type zone string

func (z *zone) UnmarshalText(text []byte) error {
	location, err := model.ParseTimezone(string(text))
	if err == nil {
		*z = zone(location.String())
	}
	return plain(err)
}

// money is a reporting currency.
type money model.Currency

func (m *money) UnmarshalText(text []byte) error {
	code, err := model.ParseCurrency(string(text))
	*m = money(code)
	return plain(err)
}

// scope is one that a token can be created with.
type scope model.Scope

func (s *scope) UnmarshalText(text []byte) error {
	var known []string
	for _, each := range model.Scopes {
		if string(text) == string(each) {
			*s = scope(each)
			return nil
		}
		known = append(known, string(each))
	}
	return fmt.Errorf("must be one of %s", strings.Join(known, ", "))
}

// identifier is the id of an account, key or token: 24 hexadecimal characters.
type identifier string

func isID(text string) bool {
	return len(text) == 24 && strings.Trim(text, "0123456789abcdef") == ""
}

func (i *identifier) UnmarshalText(text []byte) error {
	if !isID(string(text)) {
		return errors.New("must be an id of 24 hexadecimal characters, as the list commands show them")
	}
	*i = identifier(text)
	return nil
}

// siteName names a website by its id or by its domain.
type siteName string

func (n *siteName) UnmarshalText(text []byte) error {
	if err := new(hostname).UnmarshalText(text); err != nil {
		return errors.New("must be the id of a website or its domain, as `tributary website list` shows them")
	}
	*n = siteName(text)
	return nil
}

// lifetime is a duration above zero.
type lifetime time.Duration

func (l *lifetime) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return errors.New("must be a duration above zero, such as 720h for 30 days")
	}
	*l = lifetime(d)
	return nil
}

// days is a number of days above zero.
type days int

// maxDays is ten years, the longest time before a payment that a visit can be credited in.
const maxDays = 3650

func (d *days) UnmarshalText(text []byte) error {
	number, isDays := strings.CutSuffix(string(text), "d")
	n, err := strconv.Atoi(number)
	if err != nil || !isDays || n < 1 || n > maxDays {
		return fmt.Errorf("must be a number of days from 1d to %dd, such as 400d", maxDays)
	}
	*d = days(n)
	return nil
}

// limit is a number of events; 0 means any number.
type limit int64

func (l *limit) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 {
		return errors.New("must be a whole number of events, or 0 for any number")
	}
	*l = limit(n)
	return nil
}

// String is the limit with its unit.
func (l limit) String() string {
	switch l {
	case 0:
		return "any number of events"
	case 1:
		return "1 event"
	}
	return fmt.Sprintf("%d events", int64(l))
}

// plain is an error of model without its code, which means nothing on a command line.
func plain(err error) error {
	if fault := model.AsError(err); fault != nil {
		return errors.New(fault.Message)
	}
	return err
}
