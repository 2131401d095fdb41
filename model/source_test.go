package model_test

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// TestSources proves that every pattern of sources.tsv leads to its row.
func TestSources(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("sources.tsv")
	require.NoError(t, err)
	channels := map[string]string{
		"direct": "DIRECT", "search": "ORGANIC_SEARCH", "paid-search": "PAID_SEARCH", "social": "ORGANIC_SOCIAL", "paid-social": "PAID_SOCIAL",
		"ai": "AI_ASSISTANT", "email": "EMAIL", "affiliate": "AFFILIATE", "display": "DISPLAY", "website": "REFERRAL",
	}
	kinds := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if line == "\n" || strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		name, kind := row[0], row[1]
		kinds[kind]++
		isPassage := kind == "payment" || kind == "sign-in"
		if !isPassage {
			got := landing(t, "utm_source="+strings.ToUpper(name), "")
			require.Equal(t, channels[kind], string(got.Channel), name)
		}
		for _, pattern := range strings.Fields(strings.Join(row[2:], "")) {
			if alias, ok := strings.CutPrefix(pattern, "="); ok {
				got := landing(t, "utm_source="+strings.ReplaceAll(alias, "-", "_"), "")
				require.Equal(t, channels[kind], string(got.Channel), "%s is known as %s", name, alias)
				continue
			}
			for referrer, host := range referrers(pattern) {
				got := landing(t, "", referrer)
				if isPassage {
					require.Equal(t, []any{"direct", model.ChannelDirect, true}, []any{got.Source, got.Channel, got.Returning}, "%s is known by %s", name, referrer)
				} else {
					require.Equal(t, []any{host, channels[kind], false}, []any{got.Source, string(got.Channel), got.Returning}, "%s is known by %s", name, referrer)
				}
			}
		}
	}
	for kind, least := range map[string]int{"search": 30, "social": 50, "ai": 20, "email": 30, "payment": 30} {
		require.GreaterOrEqual(t, kinds[kind], least, kind)
	}
}

// referrers are addresses that a pattern of sources.tsv stands for, with the source of visits from there.
func referrers(pattern string) map[string]string {
	if app, ok := strings.CutPrefix(pattern, "app:"); ok {
		return map[string]string{"android-app://" + app + "/": app}
	}
	site, ok := strings.CutSuffix(pattern, ".*")
	if !ok {
		return map[string]string{
			"https://" + pattern + "/":                                   pattern,
			"https://www." + strings.ToUpper(pattern) + ":8443/path?q=x": pattern,
			"https://a.b." + pattern + "./":                              "a.b." + pattern,
		}
	}
	all := map[string]string{}
	for _, end := range []string{".com", ".de", ".co.nz", ".com.ar"} {
		maps.Copy(all, referrers(site+end))
	}
	return all
}

// TestSources_document proves that the mediums and click ids of docs/SOURCES.md are those that count.
func TestSources_document(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/SOURCES.md")
	require.NoError(t, err)
	code := regexp.MustCompile("`([^`]+)`")
	names := func(cell string) []string {
		var all []string
		for _, found := range code.FindAllStringSubmatch(cell, -1) {
			all = append(all, found[1])
		}
		return all
	}
	checked := map[string]int{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		what, second, third := strings.TrimSpace(cells[1]), names(cells[2]), names(cells[3])
		if yes := strings.TrimSpace(cells[3]); yes == "yes" || yes == "no" {
			networks := strings.Split(cells[2], ";")
			for i, parameters := range strings.Split(what, ";") {
				for _, parameter := range names(parameters) {
					got := landing(t, parameter+"=1", "")
					require.Equal(t, names(networks[min(i, len(networks)-1)]), []string{got.Source}, parameter)
					require.Equal(t, yes == "yes", got.Campaign.AdClick == parameter, parameter)
					checked["click ids"]++
				}
			}
			continue
		}
		mediums, ok := strings.CutPrefix(what, "`utm_medium` is ")
		if !ok && !strings.HasPrefix(what, "… `") {
			continue
		}
		for _, medium := range names(mediums) {
			got := landing(t, "utm_source=acme&utm_medium="+medium, "")
			require.Equal(t, append(second, third...)[0], string(got.Channel), medium)
			checked["mediums"]++
		}
	}
	require.Equal(t, map[string]int{"click ids": 19, "mediums": 56}, checked)
}

// FuzzOrigin tries that whatever a client sends gives a source and a channel that can be kept.
func FuzzOrigin(f *testing.F) {
	for _, referrer := range []string{"https://www.google.de/", "https://%ff.example/", "https://xn--a.example./", "android-app://com.google.android.gm/", "http://[::1%25eth0]:1/", "https://a..b@c"} {
		f.Add("utm_source=Google&utm_medium=CPC&gclid=1", referrer)
	}
	f.Add("ref=%00%ff&via={{x}}&source=..", "")
	f.Fuzz(func(t *testing.T, query, referrer string) {
		got, err := model.RecordVisitInput{VisitorID: "v", URL: "https://shop.example/?" + query, Referrer: &referrer}.Validate(shop, noon, nil)
		if err != nil {
			return
		}
		require.NotEmpty(t, got.Source)
		require.NotEmpty(t, got.Channel)
		for _, text := range []string{got.Source, got.Campaign.Source, got.Campaign.Medium, got.Campaign.Name, got.Campaign.Term, got.Campaign.Content, got.Campaign.Ref} {
			require.True(t, utf8.ValidString(text) && !strings.Contains(text, "\x00") && strings.TrimSpace(text) == text, "%q", text)
		}
	})
}
