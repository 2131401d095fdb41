package model_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// landing is the visit that a pageview of the shop makes, with this query and referrer.
func landing(t *testing.T, query, referrer string) model.Visit {
	t.Helper()
	got, err := model.RecordVisitInput{VisitorID: "v", URL: "https://shop.example/?" + query, Referrer: &referrer}.Validate(shop, noon, nil)
	require.NoError(t, err, "%s from %s", query, referrer)
	return got
}

func TestRecordVisitInput_Validate_sourceAndChannel(t *testing.T) {
	t.Parallel()
	type row struct{ query, referrer, source, channel string }
	long := strings.Repeat("é", 300)
	for name, rows := range map[string][]row{
		"nothing": {
			{"", "", "direct", "DIRECT"},
			{"page=2&q=shoes", "", "direct", "DIRECT"},
		},
		"search engines": {
			{"", "https://www.google.com/", "google.com", "ORGANIC_SEARCH"},
			{"", "https://www.google.de/", "google.de", "ORGANIC_SEARCH"},
			{"", "https://google.co.uk/search?q=x", "google.co.uk", "ORGANIC_SEARCH"},
			{"", "https://www.google.com.br/", "google.com.br", "ORGANIC_SEARCH"},
			{"", "https://www.google.cat/", "google.cat", "ORGANIC_SEARCH"},
			{"", "https://images.google.co.jp/", "images.google.co.jp", "ORGANIC_SEARCH"},
			{"", "https://www.bing.com/", "bing.com", "ORGANIC_SEARCH"},
			{"", "https://cn.bing.com/", "cn.bing.com", "ORGANIC_SEARCH"},
			{"", "https://duckduckgo.com/", "duckduckgo.com", "ORGANIC_SEARCH"},
			{"", "https://uk.search.yahoo.com/", "uk.search.yahoo.com", "ORGANIC_SEARCH"},
			{"", "https://search.yahoo.co.jp/", "search.yahoo.co.jp", "ORGANIC_SEARCH"},
			{"", "https://yandex.com.tr/", "yandex.com.tr", "ORGANIC_SEARCH"},
			{"", "https://ya.ru/", "ya.ru", "ORGANIC_SEARCH"},
			{"", "https://www.baidu.com/link?url=x", "baidu.com", "ORGANIC_SEARCH"},
			{"", "https://search.brave.com/", "search.brave.com", "ORGANIC_SEARCH"},
			{"", "https://www.ecosia.org/", "ecosia.org", "ORGANIC_SEARCH"},
		},
		"social networks": {
			{"", "https://l.facebook.com/l.php?u=x", "l.facebook.com", "ORGANIC_SOCIAL"},
			{"", "http://m.facebook.com/", "m.facebook.com", "ORGANIC_SOCIAL"},
			{"", "https://t.co/abc", "t.co", "ORGANIC_SOCIAL"},
			{"", "https://x.com/", "x.com", "ORGANIC_SOCIAL"},
			{"", "https://mobile.twitter.com/", "mobile.twitter.com", "ORGANIC_SOCIAL"},
			{"", "https://lnkd.in/x", "lnkd.in", "ORGANIC_SOCIAL"},
			{"", "https://old.reddit.com/r/go", "old.reddit.com", "ORGANIC_SOCIAL"},
			{"", "https://www.youtube.com/", "youtube.com", "ORGANIC_SOCIAL"},
			{"", "https://news.ycombinator.com/item?id=1", "news.ycombinator.com", "ORGANIC_SOCIAL"},
			{"", "https://www.pinterest.co.uk/", "pinterest.co.uk", "ORGANIC_SOCIAL"},
			{"", "https://bsky.app/", "bsky.app", "ORGANIC_SOCIAL"},
			{"", "https://tieba.baidu.com/p/1", "tieba.baidu.com", "ORGANIC_SOCIAL"},
		},
		"AI assistants": {
			{"", "https://chatgpt.com/", "chatgpt.com", "AI_ASSISTANT"},
			{"", "https://chat.openai.com/", "chat.openai.com", "AI_ASSISTANT"},
			{"", "https://www.perplexity.ai/search/x", "perplexity.ai", "AI_ASSISTANT"},
			{"", "https://gemini.google.com/app", "gemini.google.com", "AI_ASSISTANT"},
			{"", "https://copilot.microsoft.com/", "copilot.microsoft.com", "AI_ASSISTANT"},
			{"", "https://claude.ai/", "claude.ai", "AI_ASSISTANT"},
			{"utm_source=chatgpt.com", "", "chatgpt.com", "AI_ASSISTANT"},
			{"utm_source=chatgpt.com&utm_medium=referral", "https://chatgpt.com/", "chatgpt.com", "AI_ASSISTANT"},
			{"utm_source=perplexity", "", "perplexity", "AI_ASSISTANT"},
			{"utm_source=copilot.com", "", "copilot.com", "AI_ASSISTANT"},
			{"utm_source=openai&utm_medium=cpc", "", "openai", "AI_ASSISTANT"},
		},
		"mail providers": {
			{"", "https://mail.google.com/mail/u/0/", "mail.google.com", "EMAIL"},
			{"", "https://outlook.live.com/", "outlook.live.com", "EMAIL"},
			{"", "https://de.mail.yahoo.com/", "de.mail.yahoo.com", "EMAIL"},
			{"", "https://mail.proton.me/", "mail.proton.me", "EMAIL"},
			{"", "https://mail.yandex.ru/", "mail.yandex.ru", "EMAIL"},
			{"", "https://mail.qq.com/", "mail.qq.com", "EMAIL"},
		},
		"Android apps": {
			{"", "android-app://com.google.android.gm", "com.google.android.gm", "EMAIL"},
			{"", "android-app://com.google.android.gm/", "com.google.android.gm", "EMAIL"},
			{"", "android-app://com.google.android.googlequicksearchbox/https/www.google.com", "com.google.android.googlequicksearchbox", "ORGANIC_SEARCH"},
			{"", "android-app://com.linkedin.android/", "com.linkedin.android", "ORGANIC_SOCIAL"},
			{"", "android-app://org.telegram.messenger/", "org.telegram.messenger", "ORGANIC_SOCIAL"},
			{"", "android-app://com.example.reader/", "com.example.reader", "REFERRAL"},
			{"", "android-app://google.com/", "google.com", "REFERRAL"},
			{"", "https://com.google.android.gm/", "com.google.android.gm", "REFERRAL"},
		},
		"other websites": {
			{"", "https://blog.partner.example/a", "blog.partner.example", "REFERRAL"},
			{"", "https://www.Partner.example:8443/?q=1", "partner.example", "REFERRAL"},
			{"", "https://partner.example./", "partner.example", "REFERRAL"},
			{"", "https://docs.google.com/document/d/1", "docs.google.com", "REFERRAL"},
			{"", "https://gist.github.com/x", "gist.github.com", "REFERRAL"},
			{"", "https://docs.stripe.com/", "docs.stripe.com", "REFERRAL"},
			{"", "https://myshop.example/", "myshop.example", "REFERRAL"},
			{"", "http://localhost:3000/", "localhost", "REFERRAL"},
			{"", "http://192.168.0.10:8080/", "192.168.0.10", "REFERRAL"},
			{"", "http://[2001:DB8::1]:8080/", "2001:db8::1", "REFERRAL"},
			{"", "http://my_host.example/", "my_host.example", "REFERRAL"},
		},
		"hosts that look like others": {
			{"", "https://www.google.com@evil.example/", "evil.example", "REFERRAL"},
			{"", "https://google.com:pass@evil.example/?https://google.com", "evil.example", "REFERRAL"},
			{"", "https://google.com.evil.example/", "google.com.evil.example", "REFERRAL"},
			{"", "https://google.evil.io/", "google.evil.io", "REFERRAL"},
			{"", "https://google.example/", "google.example", "REFERRAL"},
			{"", "https://notgoogle.com/", "notgoogle.com", "REFERRAL"},
			{"", "https://evil.example/www.google.com", "evil.example", "REFERRAL"},
			{"", "https://gооgle.com/", "xn--ggle-55da.com", "REFERRAL"},
		},
		"hosts beyond ASCII": {
			{"", "https://www.MÜLLER.example/", "xn--mller-kva.example", "REFERRAL"},
			{"", "https://xn--mller-kva.example/", "xn--mller-kva.example", "REFERRAL"},
			{"", "https://m%C3%BCller.example/", "xn--mller-kva.example", "REFERRAL"},
		},
		"the website, checkouts and sign-ins": {
			{"", "https://shop.example/cart", "direct", "DIRECT"},
			{"", "https://WWW.SHOP.EXAMPLE/b", "direct", "DIRECT"},
			{"", "http://blog.shop.example:8080/", "direct", "DIRECT"},
			{"", "https://checkout.stripe.com/c/pay/cs_1", "direct", "DIRECT"},
			{"", "https://www.paypal.com/checkoutnow", "direct", "DIRECT"},
			{"", "https://mystore.lemonsqueezy.com/checkout", "direct", "DIRECT"},
			{"", "https://www.mercadopago.com.br/", "direct", "DIRECT"},
			{"", "https://accounts.google.com/o/oauth2/auth", "direct", "DIRECT"},
			{"", "https://accounts.google.co.in/", "direct", "DIRECT"},
			{"", "https://login.microsoftonline.com/", "direct", "DIRECT"},
			{"ref=nav", "https://shop.example/", "direct", "DIRECT"},
			{"utm_source=news&utm_medium=email", "https://shop.example/", "news", "EMAIL"},
			{"utm_source=stripe", "", "stripe", "OTHER"},
		},
		"utm_source with a medium": {
			{"utm_source=Google&utm_medium=CPC", "https://www.google.de/", "Google", "PAID_SEARCH"},
			{"utm_source=google&utm_medium=organic", "", "google", "ORGANIC_SEARCH"},
			{"utm_source=bing&utm_medium=Paid%20Search", "", "bing", "PAID_SEARCH"},
			{"utm_source=Facebook&utm_medium=paid_social", "", "Facebook", "PAID_SOCIAL"},
			{"utm_source=fb&utm_medium=cpm", "", "fb", "PAID_SOCIAL"},
			{"utm_source=ig&utm_medium=story", "", "ig", "ORGANIC_SOCIAL"},
			{"utm_source=linkedin.com&utm_medium=ppc", "", "linkedin.com", "PAID_SOCIAL"},
			{"utm_source=launch&utm_medium=Social", "", "launch", "ORGANIC_SOCIAL"},
			{"utm_source=news&utm_medium=E-Mail", "https://www.google.com/", "news", "EMAIL"},
			{"utm_source=google&utm_medium=email", "", "google", "EMAIL"},
			{"utm_source=adroll&utm_medium=retargeting", "", "adroll", "DISPLAY"},
			{"utm_source=acme&utm_medium=banner", "", "acme", "DISPLAY"},
			{"utm_source=acme&utm_medium=cpm", "", "acme", "DISPLAY"},
			{"utm_source=acme&utm_medium=cpc", "", "acme", "OTHER"},
			{"utm_source=acme&utm_medium=cpc", "https://m.facebook.com/", "acme", "PAID_SOCIAL"},
			{"utm_source=anna&utm_medium=affiliate", "", "anna", "AFFILIATE"},
			{"utm_source=partner&utm_medium=referral", "", "partner", "REFERRAL"},
			{"utm_source=show&utm_medium=podcast", "", "show", "OTHER"},
			{"utm_source=show&utm_medium=podcast", "https://show.example/", "show", "OTHER"},
			{"utm_source=acme&utm_medium=ai", "", "acme", "AI_ASSISTANT"},
			{"utm_source=beehiiv&utm_medium=cpc", "", "beehiiv", "EMAIL"},
		},
		"utm_source alone": {
			{"utm_source=newsletter", "", "newsletter", "EMAIL"},
			{"utm_source=Hacker_News", "", "Hacker_News", "ORGANIC_SOCIAL"},
			{"utm_source=adwords", "", "adwords", "PAID_SEARCH"},
			{"utm_source=github", "https://www.google.com/", "github", "REFERRAL"},
			{"utm_source=awin", "", "awin", "AFFILIATE"},
			{"utm_source=spring-podcast", "", "spring-podcast", "OTHER"},
			{"utm_source=spring-podcast", "https://t.co/x", "spring-podcast", "ORGANIC_SOCIAL"},
			{"utm_source=spring-podcast", "https://podcast.example/", "spring-podcast", "REFERRAL"},
			{"utm_source=partner.example", "", "partner.example", "REFERRAL"},
			{"utm_source=direct", "", "direct", "DIRECT"},
		},
		"UTM parameters without a source": {
			{"utm_medium=email", "", "direct", "EMAIL"},
			{"utm_medium=cpc", "https://www.google.com/", "google.com", "PAID_SEARCH"},
			{"utm_campaign=spring", "", "direct", "OTHER"},
			{"utm_campaign=spring", "https://www.bing.com/", "bing.com", "ORGANIC_SEARCH"},
		},
		"values that say nothing": {
			{"utm_source=&utm_medium=", "https://www.google.com/", "google.com", "ORGANIC_SEARCH"},
			{"utm_source=(not%20set)&utm_medium=(NONE)", "", "direct", "DIRECT"},
			{"utm_source=(direct)&utm_medium=(none)&utm_campaign=(not+set)", "", "direct", "DIRECT"},
			{"utm_source=%20null%20", "https://t.co/x", "t.co", "ORGANIC_SOCIAL"},
			{"utm_source={{site_source_name}}&utm_campaign={campaignid}", "", "direct", "DIRECT"},
			{"utm_source=%00%ff", "", "direct", "DIRECT"},
			{"gclid=&fbclid={fbclid}", "", "direct", "DIRECT"},
			{"utm_source=" + long, "", long[:2*255], "OTHER"},
			{"utm_source=google&utm_medium=" + long, "", "google", "ORGANIC_SEARCH"},
		},
		"ref, source and via": {
			{"ref=producthunt", "", "producthunt", "ORGANIC_SOCIAL"},
			{"source=twitter", "", "twitter", "ORGANIC_SOCIAL"},
			{"via=anna", "", "anna", "REFERRAL"},
			{"ref=anna", "https://www.google.com/", "anna", "ORGANIC_SEARCH"},
			{"via=c&source=b&ref=a", "", "a", "REFERRAL"},
			{"via=c&source=b&ref=", "", "b", "REFERRAL"},
			{"ref=anna&utm_source=news&utm_medium=email", "", "news", "EMAIL"},
			{"via=anna&utm_medium=affiliate", "", "anna", "AFFILIATE"},
		},
		"click ids": {
			{"gclid=1", "", "google", "PAID_SEARCH"},
			{"gbraid=1", "https://www.google.com/", "google.com", "PAID_SEARCH"},
			{"wbraid=1", "", "google", "PAID_SEARCH"},
			{"msclkid=1", "https://www.bing.com/", "bing.com", "PAID_SEARCH"},
			{"ttclid=1", "", "tiktok", "PAID_SOCIAL"},
			{"twclid=1", "https://t.co/x", "t.co", "PAID_SOCIAL"},
			{"li_fat_id=1", "", "linkedin", "PAID_SOCIAL"},
			{"rdt_cid=1", "", "reddit", "PAID_SOCIAL"},
			{"dclid=1", "https://news.example/", "news.example", "DISPLAY"},
			{"gclid=1", "https://news.example/", "news.example", "PAID_SEARCH"},
			{"gclid=1", "android-app://com.google.android.gm/", "com.google.android.gm", "PAID_SEARCH"},
			{"gclid=1", "https://shop.example/", "google", "PAID_SEARCH"},
			{"gclid=1", "https://checkout.stripe.com/", "google", "PAID_SEARCH"},
			{"gclid=1&fbclid=2", "", "google", "PAID_SEARCH"},
			{"utm_source=google&gclid=1", "", "google", "PAID_SEARCH"},
			{"utm_source=acme&gclid=1", "", "acme", "PAID_SEARCH"},
			{"utm_source=youtube&gclid=1", "", "youtube", "PAID_SOCIAL"},
			{"utm_source=linkedin&utm_medium=social&li_fat_id=1", "", "linkedin", "PAID_SOCIAL"},
			{"utm_source=google&utm_medium=display&gclid=1", "", "google", "DISPLAY"},
			{"utm_source=news&utm_medium=email&gclid=1", "", "news", "EMAIL"},
			{"ref=anna&gclid=1", "", "anna", "PAID_SEARCH"},
		},
		"click ids that prove no payment": {
			{"fbclid=1", "", "facebook", "ORGANIC_SOCIAL"},
			{"fbclid=1", "https://l.instagram.com/", "l.instagram.com", "ORGANIC_SOCIAL"},
			{"fbclid=1", "https://blog.partner.example/", "blog.partner.example", "REFERRAL"},
			{"fbclid=1&utm_medium=cpc", "", "facebook", "PAID_SOCIAL"},
			{"fbclid=1&utm_source=acme&utm_medium=paid", "", "acme", "PAID_SOCIAL"},
			{"igsh=1", "", "instagram", "ORGANIC_SOCIAL"},
			{"epik=1", "", "pinterest", "ORGANIC_SOCIAL"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, row := range rows {
				got := landing(t, row.query, row.referrer)
				require.Equal(t, []string{row.source, row.channel}, []string{got.Source, string(got.Channel)}, "?%.80s from %s", row.query, row.referrer)
			}
		})
	}
}

func TestRecordVisitInput_Validate_campaign(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		query, referrer string
		want            model.Campaign
		returning       bool
	}{
		{"utm_source=(not+set)&utm_medium=CPC&utm_term=none", "", model.Campaign{Medium: "CPC"}, false},
		{"via=anna", "https://partner.example/", model.Campaign{Ref: "anna"}, false},
		{"via=anna", "https://shop.example/", model.Campaign{}, true},
		{"utm_source=a&via=anna", "https://checkout.stripe.com/", model.Campaign{Source: "a"}, true},
		{"gclid=1&ref=anna", "", model.Campaign{Ref: "anna", AdClick: "gclid"}, false},
		{"fbclid=1", "https://l.facebook.com/", model.Campaign{}, false},
	} {
		got := landing(t, test.query, test.referrer)
		require.Equal(t, test.want, got.Campaign, test.query)
		require.Equal(t, test.returning, got.Returning, test.query)
	}
}
