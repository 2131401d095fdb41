package model_test

import (
	"os"
	"strings"
	"testing"

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
			for _, referrer := range referrers(pattern) {
				got := landing(t, "", referrer)
				if isPassage {
					require.Equal(t, []any{"direct", model.ChannelDirect, true}, []any{got.Source, got.Channel, got.Returning}, "%s is known by %s", name, referrer)
				} else {
					require.Equal(t, []any{name, channels[kind], false}, []any{got.Source, string(got.Channel), got.Returning}, "%s is known by %s", name, referrer)
				}
			}
		}
	}
	for kind, least := range map[string]int{"search": 30, "social": 50, "ai": 20, "email": 30, "payment": 30} {
		require.GreaterOrEqual(t, kinds[kind], least, kind)
	}
}

// referrers are addresses that a pattern of sources.tsv stands for.
func referrers(pattern string) []string {
	if app, ok := strings.CutPrefix(pattern, "app:"); ok {
		return []string{"android-app://" + app + "/"}
	}
	site, ok := strings.CutSuffix(pattern, ".*")
	if !ok {
		return []string{"https://" + pattern + "/", "https://www." + strings.ToUpper(pattern) + ":8443/path?q=x", "https://a.b." + pattern + "./"}
	}
	var all []string
	for _, end := range []string{".com", ".de", ".co.nz", ".com.ar"} {
		all = append(all, referrers(site+end)...)
	}
	return all
}
