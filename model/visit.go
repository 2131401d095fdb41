package model

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// VisitIdle is how long a visitor may be idle before the next pageview starts another visit.
const VisitIdle = 30 * time.Minute

// SourceDirect is the source of a visit that came from nowhere known.
const SourceDirect = "direct"

// maxURL is the greatest length of an address, in bytes.
const maxURL = 2048

// maxUserAgent is the length, in bytes, up to which a User-Agent is one: a longer one tells nothing.
const maxUserAgent = 1024

// Visitor is one browser or app install.
type Visitor struct {
	WebsiteID   string
	ID          string
	Seen        bool // false: only known from payments
	FirstSeenAt *time.Time
	LastSeenAt  *time.Time
	VisitCount  int
}

// Campaign is what the UTM parameters of an address say; "" where one is absent.
type Campaign struct {
	Source, Medium, Name, Term, Content string
}

// Visit is one session of a visitor: a touchpoint.
type Visit struct {
	WebsiteID   string
	ID          string
	VisitorID   string
	SessionID   *string
	StartedAt   time.Time
	LastSeenAt  time.Time
	LandingPage string
	Referrer    *string
	Source      string
	Campaign    Campaign
	Country     *string
	Device      *string
	Browser     *string
	OS          *string
	Pageviews   int
}

// UtmSource is the utm_source of the landing page; nil when it has none.
func (v *Visit) UtmSource() *string { return optional(v.Campaign.Source) }

// UtmMedium is the utm_medium of the landing page; nil when it has none.
func (v *Visit) UtmMedium() *string { return optional(v.Campaign.Medium) }

// UtmCampaign is the utm_campaign of the landing page; nil when it has none.
func (v *Visit) UtmCampaign() *string { return optional(v.Campaign.Name) }

// UtmTerm is the utm_term of the landing page; nil when it has none.
func (v *Visit) UtmTerm() *string { return optional(v.Campaign.Term) }

// UtmContent is the utm_content of the landing page; nil when it has none.
func (v *Visit) UtmContent() *string { return optional(v.Campaign.Content) }

// Client is what a User-Agent header tells; "" where it tells nothing.
type Client struct {
	Device  string // desktop, mobile, tablet or bot
	Browser string
	OS      string
}

// RecordVisitInput is a pageview as a client sends it.
type RecordVisitInput struct {
	WebsiteID  *string
	VisitorID  string
	SessionID  *string
	URL        string
	Referrer   *string
	OccurredAt *Timestamp
	UserAgent  *string
	Country    *string
}

// Validate checks the input and reads source and campaign from the addresses. The result is the
// visit that the pageview makes if it starts one. All faults are reported together. The time of the
// request, now, stands in for a missing one; parse reads the User-Agent.
func (in RecordVisitInput) Validate(site Website, now time.Time, parse func(userAgent string) Client) (Visit, error) {
	var faults Faults
	v := Visit{
		WebsiteID: site.ID, VisitorID: in.VisitorID, SessionID: in.SessionID,
		StartedAt: now, LandingPage: in.URL, Referrer: in.Referrer, Pageviews: 1,
	}
	faults.Add("visitorId", CheckID(in.VisitorID))
	faults.addID("sessionId", in.SessionID)
	page, err := parseAddress(in.URL, "http", "https")
	faults.Add("url", err)
	var referrerHost string
	if in.Referrer != nil && *in.Referrer != "" {
		// The referrers of Android apps have a scheme of their own.
		referrer, err := parseAddress(*in.Referrer, "http", "https", "android-app")
		faults.Add("referrer", err)
		referrerHost = hostOf(referrer)
	} else {
		v.Referrer = nil
	}
	if in.OccurredAt != nil {
		v.StartedAt = in.OccurredAt.In(site.Location())
		faults.Add("occurredAt", CheckOccurredAt(v.StartedAt, now))
	}
	if in.Country != nil {
		country, err := parseCountry(*in.Country)
		faults.Add("country", err)
		v.Country = &country
	}
	if in.UserAgent != nil && len(*in.UserAgent) <= maxUserAgent && isText(*in.UserAgent) {
		client := parse(*in.UserAgent)
		v.Device, v.Browser, v.OS = optional(client.Device), optional(client.Browser), optional(client.OS)
	}
	v.LastSeenAt = v.StartedAt
	if page != nil {
		v.Campaign = campaignOf(page)
		v.Source = sourceOf(v.Campaign, referrerHost, site.Domain)
	}
	return v, faults.Err()
}

// Continues says whether the pageview v belongs to the visitor's visit current: it comes within
// VisitIdle of it and brings no other campaign.
func (v Visit) Continues(current Visit) bool {
	idle := v.StartedAt.Sub(current.LastSeenAt)
	inTime := idle <= VisitIdle && !v.StartedAt.Before(current.StartedAt)
	return inTime && (v.Campaign == Campaign{} || v.Campaign == current.Campaign)
}

func parseAddress(s string, schemes ...string) (*url.URL, error) {
	if len(s) > maxURL {
		return nil, Errorf(CodeInvalidField, "", "an address has at most %d bytes", maxURL)
	}
	u, err := url.Parse(s)
	if err != nil || !utf8.ValidString(s) || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return nil, Errorf(CodeInvalidField, "", "must be a full http or https address")
	}
	return u, nil
}

func hostOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
}

func campaignOf(page *url.URL) Campaign {
	query := page.Query()
	value := func(name string) string {
		text := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(query.Get(name), ""), "\x00", ""))
		if utf8.RuneCountInString(text) > maxNameLength {
			return string([]rune(text)[:maxNameLength])
		}
		return text
	}
	return Campaign{
		Source: value("utm_source"), Medium: value("utm_medium"), Name: value("utm_campaign"),
		Term: value("utm_term"), Content: value("utm_content"),
	}
}

// sourceOf is the UTM source, else the host of the referrer unless that is the website itself, else
// SourceDirect.
func sourceOf(c Campaign, referrerHost, domain string) string {
	own := strings.TrimPrefix(strings.ToLower(domain), "www.")
	switch {
	case c.Source != "":
		return c.Source
	case referrerHost == "" || referrerHost == own || strings.HasSuffix(referrerHost, "."+own):
		return SourceDirect
	}
	return referrerHost
}

func parseCountry(s string) (string, error) {
	code := strings.ToUpper(s)
	if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", Errorf(CodeInvalidField, "", "must be an ISO 3166 country code of two letters")
	}
	return code, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// RecordVisitPayload is what became of a pageview.
type RecordVisitPayload struct {
	Visit   *Visit
	Visitor *Visitor
}
