package model_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

var shop = model.Website{ID: "site", Domain: "www.Shop.example", Timezone: "Europe/Berlin", Currency: "EUR"}

// firefox stands for the parser of User-Agent headers.
func firefox(string) model.Client { return model.Client{Browser: "Firefox"} }

func TestRecordVisitInput_Validate(t *testing.T) {
	t.Parallel()

	t.Run("is the visit that it starts", func(t *testing.T) {
		t.Parallel()
		got, err := model.RecordVisitInput{
			VisitorID: "v", SessionID: pointer("s"), URL: "https://shop.example/a?utm_source=%20news%20&utm_medium=m&utm_campaign=c&utm_term=t&utm_content=x",
			Referrer:   pointer("https://search.example/"),
			OccurredAt: timestamp(t, "2026-05-01T10:00:00"), UserAgent: pointer("any"), Country: pointer("de"),
		}.Validate(shop, noon, firefox)
		require.NoError(t, err)
		at := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
		require.Equal(t, model.Visit{
			WebsiteID: "site", VisitorID: "v", SessionID: pointer("s"), StartedAt: at, LastSeenAt: at, Pageviews: 1,
			LandingPage: "https://shop.example/a?utm_source=%20news%20&utm_medium=m&utm_campaign=c&utm_term=t&utm_content=x",
			Referrer:    pointer("https://search.example/"), ReferrerHost: "search.example", LandingPath: "/a",
			Source: "news", Channel: model.ChannelOther, Campaign: model.Campaign{Source: "news", Medium: "m", Name: "c", Term: "t", Content: "x"}, Country: pointer("DE"), Browser: pointer("Firefox"),
		}, got)
		require.Equal(t, []*string{pointer("news"), pointer("m"), pointer("c"), pointer("t"), pointer("x")},
			[]*string{got.UtmSource(), got.UtmMedium(), got.UtmCampaign(), got.UtmTerm(), got.UtmContent()})
		require.Nil(t, (&model.Visit{}).UtmSource())
	})

	t.Run("cuts what is long", func(t *testing.T) {
		t.Parallel()
		long := strings.Repeat("a", 300)
		got, err := model.RecordVisitInput{VisitorID: "v", URL: "https://" + long + ".example/", Referrer: pointer("https://" + long + ".example/"), UserAgent: pointer("any")}.
			Validate(shop, noon, func(string) model.Client { return model.Client{Browser: long, OS: long} })
		require.NoError(t, err)
		require.Equal(t, slices.Repeat([]string{long[:255]}, 5), []string{got.Source, got.ReferrerHost, got.LandingPath, *got.Browser, *got.OS})
	})

	t.Run("reads nothing from what cannot be a User-Agent", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"a\x00b", "\xff", strings.Repeat("a", 1025)} {
			got, err := model.RecordVisitInput{VisitorID: "v", URL: "https://shop.example/", UserAgent: &text}.Validate(shop, noon, firefox)
			require.NoError(t, err)
			require.Nil(t, got.Browser)
		}
	})

	t.Run("reports all faults together", func(t *testing.T) {
		t.Parallel()
		_, err := model.RecordVisitInput{
			VisitorID: "", SessionID: pointer("\n"), URL: "/pricing", Referrer: pointer("javascript:alert(1)"), OccurredAt: timestamp(t, "1969-12-31"), Country: pointer("d1"),
		}.Validate(shop, noon, nil)
		require.Equal(t, []string{"visitorId", "sessionId", "url", "referrer", "occurredAt", "country"}, faultFields(err))
		for _, url := range []string{
			"", "shop.example", "https://", "ftp://shop.example/", "https://shop.example/\x00", "https://shop.example/\xff",
			"https://shop.example/" + strings.Repeat("a", 2048), "https://shop.example:port/", "https://%ff.example/",
		} {
			_, err := model.RecordVisitInput{VisitorID: "v", URL: url}.Validate(shop, noon, nil)
			requireFault(t, model.CodeInvalidField, "url", err)
		}
	})
}

func TestVisit_Continues(t *testing.T) {
	t.Parallel()
	const late = 90*time.Minute + time.Microsecond
	spring := model.Campaign{Name: "spring"}
	current := model.Visit{StartedAt: noon, LastSeenAt: noon.Add(time.Hour), Campaign: spring}
	for name, test := range map[string]struct {
		after time.Duration // the start of the visit
		view  model.Visit
		want  bool
	}{
		"within 30 idle minutes":      {90 * time.Minute, model.Visit{}, true},
		"after them":                  {late, model.Visit{}, false},
		"in the middle":               {time.Minute, model.Visit{}, true},
		"before its start":            {-time.Microsecond, model.Visit{}, false},
		"with its campaign":           {time.Hour, model.Visit{Campaign: spring}, true},
		"with another":                {time.Hour, model.Visit{Campaign: model.Campaign{Name: "fall"}}, false},
		"with a part of it more":      {time.Hour, model.Visit{Campaign: model.Campaign{Name: "spring", Source: "news"}}, false},
		"with a ref":                  {time.Hour, model.Visit{Campaign: model.Campaign{Ref: "anna"}}, false},
		"by an ad":                    {time.Hour, model.Visit{Campaign: model.Campaign{AdClick: "gclid"}}, false},
		"coming back":                 {time.Hour, model.Visit{Returning: true}, true},
		"coming back with a campaign": {time.Hour, model.Visit{Returning: true, Campaign: model.Campaign{Name: "fall"}}, true},
		"coming back too late":        {late, model.Visit{Returning: true}, false},
	} {
		view := test.view
		view.StartedAt = noon.Add(test.after)
		require.Equal(t, test.want, view.Continues(current), name)
	}
}
