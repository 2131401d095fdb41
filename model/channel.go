package model

import (
	"slices"
	"strings"
)

// Channel is the kind of way by which a visit came. docs/SOURCES.md has the rules.
type Channel string

// The channels.
const (
	ChannelDirect        Channel = "DIRECT"         // nothing tells where it came from
	ChannelOrganicSearch Channel = "ORGANIC_SEARCH" // an unpaid search result
	ChannelPaidSearch    Channel = "PAID_SEARCH"
	ChannelOrganicSocial Channel = "ORGANIC_SOCIAL" // an unpaid link in a social network, community or messenger
	ChannelPaidSocial    Channel = "PAID_SOCIAL"
	ChannelAIAssistant   Channel = "AI_ASSISTANT"
	ChannelEmail         Channel = "EMAIL"
	ChannelAffiliate     Channel = "AFFILIATE"
	ChannelReferral      Channel = "REFERRAL" // a link on another website
	ChannelDisplay       Channel = "DISPLAY"  // banners and the like
	ChannelOther         Channel = "OTHER"    // something tells, but none of the above
)

var channels = []Channel{
	ChannelDirect, ChannelOrganicSearch, ChannelPaidSearch, ChannelOrganicSocial, ChannelPaidSocial, ChannelAIAssistant,
	ChannelEmail, ChannelAffiliate, ChannelReferral, ChannelDisplay, ChannelOther,
}

// validate refuses a channel that does not exist: GraphQL lets enums of any letter case pass.
func (c Channel) validate() error {
	if !slices.Contains(channels, c) {
		return Errorf(CodeInvalidField, "", "must be a channel, such as ORGANIC_SEARCH, in upper case")
	}
	return nil
}

// way is the channel of visits that nobody was paid for, and of those that somebody was.
type way struct{ free, paid Channel }

// medium is what a utm_medium tells.
type medium struct {
	way
	paid    bool // somebody was paid
	decides bool // its way goes before that of the source
}

// always is a medium of one channel, whatever the source.
func always(c Channel) medium { return medium{way: way{c, c}, decides: true} }

// mediums are the values of utm_medium that tell something, as fold writes them.
var mediums = byName(map[string]medium{
	"cpc ppc cpa cpp cpv cpl paid paid-ads ad ads retargeting remarketing sponsored": {way: way{ChannelOther, ChannelOther}, paid: true},
	"cpm": {way: way{ChannelDisplay, ChannelDisplay}, paid: true},
	"sem paid-search paidsearch search-ads search-ad":                  {way: way{ChannelPaidSearch, ChannelPaidSearch}, decides: true},
	"paid-social paidsocial social-paid social-ads social-ad":          {way: way{ChannelPaidSocial, ChannelPaidSocial}, decides: true},
	"social social-media socialmedia social-network organic-social sm": {way: way{ChannelOrganicSocial, ChannelPaidSocial}, decides: true},
	"organic organic-search search seo":                                {way: way{ChannelOrganicSearch, ChannelPaidSearch}},
	"referral referrer website link partner":                           {way: way{ChannelReferral, ChannelOther}},
	"email e-mail mail newsletter mailing":                             always(ChannelEmail),
	"affiliate affiliates":                                             always(ChannelAffiliate),
	"display banner banners interstitial native programmatic":          always(ChannelDisplay),
	"ai ai-assistant llm chatbot":                                      always(ChannelAIAssistant),
})

// byName gives each of several names, divided by spaces, its medium.
func byName(lists map[string]medium) map[string]medium {
	all := map[string]medium{}
	for names, m := range lists {
		for name := range strings.FieldsSeq(names) {
			all[name] = m
		}
	}
	return all
}

// fold is the form in which names of sources and mediums are compared.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return r
	}, strings.ToLower(s))
}
