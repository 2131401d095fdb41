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

// kind is what a known source is; "" of an unknown one.
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

// isPassage says whether visitors only pass through such a source.
func (k kind) isPassage() bool { return k == kindPayment || k == kindSignIn }

// sourceTable is what sources.tsv knows: the kind of a source by its hosts, apps and names.
type sourceTable struct {
	hosts, apps, names map[string]kind
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
	table := &sourceTable{map[string]kind{}, map[string]kind{}, map[string]kind{}}
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
	source := kind(row[1])
	if _, ok := ways[source]; !ok && source != kindWebsite && !source.isPassage() {
		return fmt.Errorf("has the kind %q, which does not exist", source)
	}
	put := func(where map[string]kind, key string) error {
		if where[key] != "" || key == "" || key != fold(key) {
			return fmt.Errorf("has %q, which is empty, not in lower case, or stands in another row too", key)
		}
		where[key] = source
		return nil
	}
	if err := put(t.names, row[0]); err != nil {
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

// host is the kind of the source with a host, which is as normalHost writes it.
func (t *sourceTable) host(host string) kind {
	for rest, more := host, host != ""; more; _, rest, more = strings.Cut(rest, ".") {
		if source := t.hosts[rest]; source != "" {
			return source
		}
		if source := t.hosts[anyCountry(rest)]; source != "" {
			return source
		}
	}
	return ""
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

// named is the kind of the source that a campaign names, by name or by host. Payment and sign-in pages
// have no campaigns.
func (t *sourceTable) named(name string) kind {
	name = fold(name)
	source := t.names[name]
	if source == "" && isHostname(name) {
		source = t.host(name)
	}
	if source.isPassage() {
		return ""
	}
	return source
}

// isHostname says whether a name that is folded looks like the host of a website.
func isHostname(name string) bool {
	rest, end := cutLast(name)
	return rest != "" && len(end) >= 2 && strings.Trim(name, ".abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		strings.Trim(end, "0123456789") != "" && !strings.Contains(name, "..") && name[0] != '.'
}
