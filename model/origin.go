package model

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// adClick is a parameter that an ad network or social network adds to the addresses of its links.
type adClick struct {
	parameter string
	network   string // a name in sources.tsv
	paid      bool   // only links of ads have it
}

// adClicks are in the order in which they count, those that prove a paid click first.
var adClicks = []adClick{
	{"gclid", "google", true}, {"gbraid", "google", true}, {"wbraid", "google", true}, {"gad_source", "google", true},
	{"msclkid", "bing", true}, {"yclid", "yandex", true},
	{"ttclid", "tiktok", true}, {"twclid", "x", true}, {"li_fat_id", "linkedin", true}, {"rdt_cid", "reddit", true},
	{"ScCid", "snapchat", true}, {"qclid", "quora", true},
	{"dclid", "doubleclick", true}, {"tblci", "taboola", true}, {"dicbo", "outbrain", true},
	{"fbclid", "facebook", false}, {"igshid", "instagram", false}, {"igsh", "instagram", false}, {"epik", "pinterest", false},
}

// origin is what the addresses of a pageview tell about where it came from.
type origin struct {
	campaign  Campaign
	source    string
	channel   Channel
	host      string // of the referrer: see Visit.ReferrerHost
	returning bool
}

// originOf reads the origin of a pageview of a website from the query of its address. The referrer is
// nil when there is none.
func originOf(query url.Values, referrer *url.URL, site Website) origin {
	from := referrerOf(referrer, site)
	from.host = cut(from.host)
	campaign := campaignOf(query)
	if from.returning {
		campaign.Ref = "" // of a link inside the website
	}
	click := clickOf(query)
	clicked := knownSources().names[click.network]
	if click.paid {
		campaign.AdClick = click.parameter
	}
	if click.paid || from.host == "" {
		from.kind = clicked
	}
	name := cmp.Or(campaign.Source, campaign.Ref)
	named := knownSources().named(name)
	o := origin{campaign: campaign, host: from.host, returning: from.returning}
	o.source = cmp.Or(name, from.host, click.network, SourceDirect)
	o.channel = channelOf(campaign, cmp.Or(named, from.kind))
	isReferral := named != "" || from.host != "" || campaign.Ref != "" || isHostname(fold(campaign.Source))
	switch {
	case o.channel != "":
	case isReferral && campaign.Medium == "":
		o.channel = ChannelReferral
	case campaign == Campaign{}:
		o.channel = ChannelDirect
	default:
		o.channel = ChannelOther
	}
	return o
}

// channelOf is the channel that medium, ad click and the kind of the source tell; "" if they tell none.
func channelOf(c Campaign, source kind) Channel {
	m := mediums[fold(c.Medium)]
	if w, ok := ways[source]; ok && !m.decides {
		m.way = w
	}
	if m.paid || c.AdClick != "" {
		return m.way.paid
	}
	return m.way.free
}

// campaignOf reads what the query of a landing page says about its campaign.
func campaignOf(query url.Values) Campaign {
	c := Campaign{
		Source: tag(query, "utm_source"), Medium: tag(query, "utm_medium"), Name: tag(query, "utm_campaign"),
		Term: tag(query, "utm_term"), Content: tag(query, "utm_content"),
	}
	for _, parameter := range []string{"ref", "source", "via"} {
		if c.Ref == "" {
			c.Ref = tag(query, parameter)
		}
	}
	return c
}

// placeholders are what tools write when they have no value.
var placeholders = []string{"(not set)", "(none)", "(not provided)", "(direct)", "none", "null", "undefined"}

// tag is the value of a parameter: without space at its ends, cut to 255 characters, "" where it is
// a placeholder or a macro that nobody has filled in, such as {campaign}.
func tag(query url.Values, parameter string) string {
	text := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(query.Get(parameter), ""), "\x00", ""))
	isMacro := strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}")
	if isMacro || slices.Contains(placeholders, strings.ToLower(text)) {
		return ""
	}
	return cut(text)
}

// cut is the text's first 255 characters, without space at the end.
func cut(text string) string {
	if utf8.RuneCountInString(text) > maxNameLength {
		return strings.TrimSpace(string([]rune(text)[:maxNameLength]))
	}
	return text
}

// clickOf is the first of the adClicks that is in a query; the zero value if none is.
func clickOf(query url.Values) adClick {
	for _, click := range adClicks {
		if tag(query, click.parameter) != "" {
			return click
		}
	}
	return adClick{}
}

// withClickIDs adds click ids that a tracker has kept to a query, where it has none of its own.
func withClickIDs(query url.Values, ids Metadata) url.Values {
	for _, click := range adClicks {
		if id, ok := ids[click.parameter].(string); ok && !query.Has(click.parameter) {
			query.Set(click.parameter, id)
		}
	}
	return query
}

// provenance is what a referrer tells.
type provenance struct {
	host      string // or the package of an app; "" when the visitor only passed through or came from the website
	kind      kind
	returning bool
}

func referrerOf(u *url.URL, site Website) provenance {
	if u == nil {
		return provenance{}
	}
	if u.Scheme == schemeApp {
		app := strings.ToLower(u.Hostname())
		return provenance{host: app, kind: knownSources().apps[app]}
	}
	host := normalHost(u.Hostname())
	source := knownSources().host(host)
	if site.hasHost(host) || source.isPassage() {
		return provenance{returning: true}
	}
	return provenance{host: host, kind: source}
}

// maxHost is the greatest length of a host's name, by RFC 1035.
const maxHost = 253

// normalHost is the one form of a host: lower case, ASCII (xn--…), without www. and final dot. A host
// with a name that nobody can have keeps what is odd about it.
func normalHost(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || len(host) > maxHost {
		return host
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	if rest, ok := strings.CutPrefix(host, "www."); ok && strings.Contains(rest, ".") {
		return rest
	}
	return host
}
