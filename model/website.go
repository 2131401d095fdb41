package model

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Website is a site whose visits and payments are measured.
type Website struct {
	ID         string // 24 hexadecimal characters
	TrackingID string // public, "dfid_" and 12 characters
	AccountID  string
	Domain     string
	Hostnames  []string // further hosts of its pages; localhost stands for all names of the visitor's own machine
	Name       string
	Timezone   string   // an IANA name
	Currency   Currency // the reporting currency
	Suspended  bool
	CreatedAt  time.Time
	// EventLimit is the account's monthly limit of recorded events; 0 means none.
	EventLimit int64
}

// Location is the website's time zone. Websites are only created with a zone that is known; one
// that has vanished from the zone database since is read as UTC.
func (w Website) Location() *time.Location {
	loc, err := ParseTimezone(w.Timezone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// CheckWritable answers CodeWebsiteSuspended when the website accepts no writes.
func (w Website) CheckWritable() error {
	if w.Suspended {
		return Errorf(CodeWebsiteSuspended, "", "the website is suspended and accepts no writes")
	}
	return nil
}

// CheckPage answers CodeHostnameNotAllowed unless the page's host is the website's domain, one of its
// further hostnames, or a subdomain of these. An address that is none is left for its reader to refuse.
func (w Website) CheckPage(address string) error {
	page, err := parseAddress(address, "http", "https")
	if err != nil || w.hasHost(normalHost(page.Hostname())) {
		return nil
	}
	return Errorf(CodeHostnameNotAllowed, "url",
		"the page is on another host than the website's: its operator can add the host with `tributary website allow`")
}

// hasHost says whether a host, in its normal form, is one of the website's.
func (w Website) hasHost(host string) bool {
	return slices.ContainsFunc(append([]string{w.Domain}, w.Hostnames...), func(name string) bool {
		own := normalHost(name)
		return host == own || strings.HasSuffix(host, "."+own) || own == "localhost" && isLoopback(host)
	})
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
