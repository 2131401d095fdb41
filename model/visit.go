package model

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// schemeApp is the scheme of the referrers of Android apps, whose host is the app's package.
const schemeApp = "android-app"

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
	Identity    *Identity // nil when it has never been identified
}

// Campaign is what the query of an address says about where its visits come from; "" where it says
// nothing.
type Campaign struct {
	Source, Medium, Name, Term, Content string // the UTM parameters
	Ref                                 string // the first of ref, source and via
	AdClick                             string // the parameter with the id of a paid click, such as gclid
}

// Visit is one session of a visitor: a touchpoint.
type Visit struct {
	WebsiteID   string
	ID          string
	VisitorID   string
	SessionID   *string
	StartedAt   time.Time
	LastSeenAt  time.Time // of its latest pageview or event
	LandingPage string
	Referrer    *string
	Source      string
	Channel     Channel
	Campaign    Campaign
	Country     *string
	Device      *string
	Browser     *string
	OS          *string
	Pageviews   int
	// Viewed and ViewedAt are a fingerprint of the latest pageview, and when it was.
	Viewed   int64
	ViewedAt time.Time
	// ReferrerHost is the host of Referrer, or the package of an app; "" without one, and when the visitor
	// came from the website itself or only passed through, as through a checkout.
	ReferrerHost string
	// LandingPath is the path of LandingPage, after the host if that is not the website's domain.
	LandingPath string
	// Returning says of a pageview that it comes from a page of the website itself, or from one that
	// visitors only pass through, such as a checkout. It is not kept.
	Returning bool
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
	// AdClickIDs are click ids by their parameters. They count like those in the URL.
	AdClickIDs Metadata
}

// Validate checks the input and reads source, channel and campaign from the addresses. The result is the
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
	var referrer *url.URL
	if in.Referrer != nil && *in.Referrer != "" {
		referrer, err = parseAddress(*in.Referrer, "http", "https", schemeApp)
		faults.Add("referrer", err)
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
		v.Device, v.Browser, v.OS = optional(client.Device), optional(cut(client.Browser)), optional(cut(client.OS))
	}
	faults.Add("adClickIds", in.AdClickIDs.Validate())
	v.LastSeenAt = v.StartedAt
	if page != nil {
		from := originOf(withClickIDs(page.Query(), in.AdClickIDs), referrer, site)
		v.Campaign, v.Source, v.Channel, v.Returning = from.campaign, from.source, from.channel, from.returning
		v.ReferrerHost, v.LandingPath = from.host, landingPath(page, site.Domain)
	}
	return v, faults.Err()
}

func parseAddress(s string, schemes ...string) (*url.URL, error) {
	if len(s) > maxURL {
		return nil, Errorf(CodeInvalidField, "", "an address has at most %d bytes", maxURL)
	}
	u, err := url.Parse(mended(s))
	if err != nil || !utf8.ValidString(s) || !utf8.ValidString(u.Host) || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return nil, Errorf(CodeInvalidField, "", "must be a full http or https address")
	}
	return u, nil
}

// mended is an address as browsers have it in the form that net/url reads: a percent sign that escapes nothing
// (/50%off, ?utm_campaign=50%off) is escaped itself, and so is a semicolon in the query. Hosts stay as they are.
func mended(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host := strings.IndexAny(rest, "/?#")
	if host < 0 || !strings.ContainsAny(rest, "%;") {
		return address
	}
	var path strings.Builder
	inQuery := false
	for after := rest[host:]; after != ""; after = after[1:] {
		inQuery = inQuery || after[0] == '?'
		switch {
		case after[0] == '%' && !isEscape(after):
			path.WriteString("%25")
		case after[0] == ';' && inQuery:
			path.WriteString("%3B")
		default:
			path.WriteByte(after[0])
		}
	}
	return scheme + "://" + rest[:host] + path.String()
}

func isEscape(s string) bool {
	const hex = "0123456789abcdefABCDEF"
	return len(s) > 2 && strings.IndexByte(hex, s[1]) >= 0 && strings.IndexByte(hex, s[2]) >= 0
}

// UsableReferrer is a referrer as a browser reports it, and nil if it is one that tells no source: none at all,
// of another scheme, or too long. A browser cannot mend it.
func UsableReferrer(referrer *string) *string {
	if referrer == nil {
		return nil
	}
	if _, err := parseAddress(*referrer, "http", "https", schemeApp); err != nil {
		return nil
	}
	return referrer
}

// landingPath is the path of a page, as it is written: after the host, unless that is the website's domain.
// It is cut to 255 characters.
func landingPath(page *url.URL, domain string) string {
	path := cmp.Or(page.EscapedPath(), "/")
	if host := normalHost(page.Hostname()); host != normalHost(domain) {
		path = host + path
	}
	return cut(path)
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
