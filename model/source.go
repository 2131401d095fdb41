package model

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// SourceDirect is the source of a visit that came from nowhere known.
const SourceDirect = "direct"

//go:embed sources.tsv
var sourcesTSV string

// kind is what a known source is.
type kind string

const (
	// kindWebsite are websites like others, which have a name.
	kindWebsite kind = "website"
	// kindPayment and kindSignIn are pages that visitors only pass through on their way back.
	kindPayment kind = "payment"
	kindSignIn  kind = "sign-in"
)

// ways are the channels of the kinds that tell one.
var ways = map[kind]way{
	"direct":      {ChannelDirect, ChannelOther},
	"search":      {ChannelOrganicSearch, ChannelPaidSearch},
	"paid-search": {ChannelPaidSearch, ChannelPaidSearch},
	"social":      {ChannelOrganicSocial, ChannelPaidSocial},
	"paid-social": {ChannelPaidSocial, ChannelPaidSocial},
	"ai":          {ChannelAIAssistant, ChannelAIAssistant},
	"email":       {ChannelEmail, ChannelEmail},
	"affiliate":   {ChannelAffiliate, ChannelAffiliate},
	"display":     {ChannelDisplay, ChannelDisplay},
}

// knownSource is a row of sources.tsv.
type knownSource struct {
	name string
	kind kind
}

// kindOf is its kind; "" of an unknown source.
func (s *knownSource) kindOf() kind {
	if s == nil {
		return ""
	}
	return s.kind
}

// nameOf is its name; "" of an unknown source.
func (s *knownSource) nameOf() string {
	if s == nil {
		return ""
	}
	return s.name
}

// isPassage says whether visitors only pass through it.
func (s *knownSource) isPassage() bool { return s.kindOf() == kindPayment || s.kindOf() == kindSignIn }

// sourceTable finds what sources.tsv knows.
type sourceTable struct {
	hosts, apps, names map[string]*knownSource
}

// knownSources is the embedded table.
var knownSources = sync.OnceValue(func() *sourceTable {
	table, err := parseSources(sourcesTSV)
	if err != nil {
		panic(err)
	}
	return table
})

// parseSources reads a table; its first lines say what is in it.
func parseSources(text string) (*sourceTable, error) {
	table := &sourceTable{map[string]*knownSource{}, map[string]*knownSource{}, map[string]*knownSource{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := table.add(strings.Split(line, "\t")); err != nil {
			return nil, fmt.Errorf("sources.tsv, line %d: %w", number, err)
		}
	}
	return table, nil
}

func (t *sourceTable) add(row []string) error {
	if len(row) == 2 {
		row = append(row, "")
	}
	if len(row) != 3 {
		return fmt.Errorf("has %d columns, must have name, kind and patterns", len(row))
	}
	source := &knownSource{row[0], kind(row[1])}
	if _, ok := ways[source.kind]; !ok && source.kind != kindWebsite && !source.isPassage() {
		return fmt.Errorf("has the kind %q, which does not exist", source.kind)
	}
	put := func(where map[string]*knownSource, key string) error {
		if where[key] != nil || key == "" || key != fold(key) {
			return fmt.Errorf("has %q, which is empty, not in lower case, or stands in another row too", key)
		}
		where[key] = source
		return nil
	}
	if err := put(t.names, source.name); err != nil {
		return err
	}
	for pattern := range strings.FieldsSeq(row[2]) {
		where := t.hosts
		if app, ok := strings.CutPrefix(pattern, "app:"); ok {
			pattern, where = app, t.apps
		} else if name, ok := strings.CutPrefix(pattern, "="); ok {
			pattern, where = name, t.names
		}
		if err := put(where, pattern); err != nil {
			return err
		}
	}
	return nil
}

// host finds the source with a host, which is as normalHost writes it; nil if it is not known.
func (t *sourceTable) host(host string) *knownSource {
	for rest, more := host, host != ""; more; _, rest, more = strings.Cut(rest, ".") {
		if source := t.hosts[rest]; source != nil {
			return source
		}
		if source := t.hosts[anyCountry(rest)]; source != nil {
			return source
		}
	}
	return nil
}

// anyCountry is a host with .* for its end, if that is .com, a country's, or a country's .co or .com.
// More is not guessed of the ends under which everybody can have a domain: google.evil.io is not
// google.*.
func anyCountry(host string) string {
	rest, end := cutLast(host)
	if len(end) != 2 {
		if end != "com" {
			return ""
		}
		return rest + ".*"
	}
	if site, second := cutLast(rest); site != "" && (second == "co" || second == "com") {
		return site + ".*"
	}
	return rest + ".*"
}

// cutLast cuts a host before its last label.
func cutLast(host string) (rest, label string) {
	dot := strings.LastIndexByte(host, '.')
	return host[:max(dot, 0)], host[dot+1:]
}

// named finds the source that a campaign names, by name or by host; nil if it is not known. Payment
// and sign-in pages have no campaigns.
func (t *sourceTable) named(name string) *knownSource {
	name = fold(name)
	source := t.names[name]
	if source == nil && isHostname(name) {
		source = t.host(name)
	}
	if source.isPassage() {
		return nil
	}
	return source
}

// isHostname says whether a name that is folded looks like the host of a website.
func isHostname(name string) bool {
	rest, end := cutLast(name)
	return rest != "" && len(end) >= 2 && strings.Trim(name, ".abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		strings.Trim(end, "0123456789") != "" && !strings.Contains(name, "..") && name[0] != '.'
}
