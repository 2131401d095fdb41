package clientip

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// countryHeaders are those in which content delivery networks name the country of a client.
var countryHeaders = []string{"CF-IPCountry", "X-Vercel-IP-Country", "CloudFront-Viewer-Country"}

// Countries tells the countries of requests.
type Countries struct {
	proxies Proxies
	file    *maxminddb.Reader // nil if there is none
}

// OpenCountries reads a MaxMind database of countries or cities; path is "" without one. Then, and for addresses that
// it does not have, the headers of content delivery networks that are among the proxies count. Error: a file
// that cannot be read.
func OpenCountries(path string, proxies Proxies) (*Countries, error) {
	if path == "" {
		return &Countries{proxies: proxies}, nil
	}
	file, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read as a MaxMind database (.mmdb) of countries or cities: %w", path, err)
	}
	return &Countries{proxies: proxies, file: file}, nil
}

// Close closes the database. Nobody may use it any more.
func (c *Countries) Close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}

// Country is the ISO 3166 code of the country that a request comes from; "" if it is not known.
func (c *Countries) Country(r *http.Request) string {
	if code := c.lookUp(c.proxies.Address(r)); code != "" {
		return code
	}
	if !c.proxies.FromProxy(r) {
		return ""
	}
	for _, name := range countryHeaders {
		if code := r.Header.Get(name); isCountry(code) {
			return code
		}
	}
	return ""
}

func (c *Countries) lookUp(address netip.Addr) string {
	if c.file == nil || !address.IsValid() {
		return ""
	}
	var code string
	if err := c.file.Lookup(address).DecodePath(&code, "country", "iso_code"); err != nil || !isCountry(code) {
		return ""
	}
	return code
}

// isCountry says whether a code is one of a country: XX is unknown, and T1 the Tor network.
func isCountry(code string) bool {
	return len(code) == 2 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && code != "XX"
}
