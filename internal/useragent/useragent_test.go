package useragent_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/useragent"
	"tributary/model"
)

const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

func TestParse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		userAgent string
		want      model.Client
	}{
		"Chrome on Windows": {chrome, model.Client{Device: "desktop", Browser: "Chrome", OS: "Windows"}},
		"Safari on macOS": {
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
			model.Client{Device: "desktop", Browser: "Safari", OS: "macOS"},
		},
		"Firefox on Linux": {
			"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
			model.Client{Device: "desktop", Browser: "Firefox", OS: "Linux"},
		},
		"Edge": {
			chrome + " Edg/131.0.0.0",
			model.Client{Device: "desktop", Browser: "Edge", OS: "Windows"},
		},
		"Opera": {
			chrome + " OPR/115.0.0.0",
			model.Client{Device: "desktop", Browser: "Opera", OS: "Windows"},
		},
		"Internet Explorer 11": {
			"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
			model.Client{Device: "desktop", Browser: "Internet Explorer", OS: "Windows"},
		},
		"Chromebook": {
			"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
			model.Client{Device: "desktop", Browser: "Chrome", OS: "ChromeOS"},
		},
		"Safari on iPhone": {
			"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
			model.Client{Device: "mobile", Browser: "Safari", OS: "iOS"},
		},
		"Chrome on iPad": {
			"Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
			model.Client{Device: "tablet", Browser: "Chrome", OS: "iOS"},
		},
		"Chrome on an Android phone": {
			"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
			model.Client{Device: "mobile", Browser: "Chrome", OS: "Android"},
		},
		"Chrome on an Android tablet": {
			"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
			model.Client{Device: "tablet", Browser: "Chrome", OS: "Android"},
		},
		"Firefox on an Android phone": {
			"Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
			model.Client{Device: "mobile", Browser: "Firefox", OS: "Android"},
		},
		"Samsung's browser": {
			"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
			model.Client{Device: "mobile", Browser: "Samsung Browser", OS: "Android"},
		},
		"Opera Mini": {
			"Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
			model.Client{Device: "mobile", Browser: "Opera Mini", OS: "Android"},
		},
		"Facebook's app": {
			"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22B83 " +
				"[FBAN/FBIOS;FBAV/489.0.0.42.83;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.1;FBSS/3;FBLC/en_US;FBOP/5]",
			model.Client{Device: "mobile", Browser: "Facebook App", OS: "iOS"},
		},
		"Googlebot": {
			"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36 " +
				"(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
			model.Client{Device: "bot", Browser: "Googlebot", OS: "Android"},
		},
		"Bingbot": {
			"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
			model.Client{Device: "bot", Browser: "Bingbot"},
		},
		"GPTBot": {
			"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
			model.Client{Device: "bot", Browser: "GPTBot"},
		},
		"headless browser": {
			"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
			model.Client{Device: "bot", Browser: "Headless Chrome", OS: "Linux"},
		},
		"bot that nobody knows":  {"ExampleBot/1.0 (+https://crawler.example/about)", model.Client{Device: "bot"}},
		"program":                {"curl/8.10.1", model.Client{}},
		"nothing":                {"", model.Client{}},
		"any text":               {"hello", model.Client{}},
		"script":                 {"<script>alert(1)</script>", model.Client{}},
		"broken UTF-8":           {"\xff\xfe\x00/\x80", model.Client{}},
		"browser before the end": {chrome + strings.Repeat(" padding/1", 1_000_000), model.Client{Device: "desktop", OS: "Windows"}},
		"browser beyond the end": {strings.Repeat(" ", 10_000) + chrome, model.Client{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, useragent.Parse(test.userAgent))
		})
	}
}

func TestIsBot(t *testing.T) {
	t.Parallel()
	for _, bot := range []string{
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "ExampleBot/1.0 (+https://crawler.example/about)",
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
		chrome + " Chrome-Lighthouse", "Baiduspider/2.0", "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
		"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "WhatsApp/2.23.20.0", "Scrapy/2.11 (+https://scrapy.org)",
		"Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "CCBot/2.0 (https://commoncrawl.org/faq/)",
	} {
		require.True(t, useragent.IsBot(bot), bot)
	}
	for _, other := range []string{
		"", chrome, "node", "undici", "Go-http-client/1.1", "axios/1.7.7", "python-requests/2.32.3", "okhttp/4.12.0", "Node.js/22", "curl/8.10.1", "Bun/1.1", "Deno/2.0",
		"Mozilla/5.0 (compatible; DataFast/1.0.0)", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) DataFast/1.0.0 Mobile",
		"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36", "Unknown", "Java/17.0.1", "Dalvik/2.1.0", "CFNetwork/1490",
		strings.Repeat(" ", 10_000) + "Googlebot",
	} {
		require.False(t, useragent.IsBot(other), other)
	}
}

// FuzzParse looks for headers that break the library or get text of their own into an answer.
func FuzzParse(f *testing.F) {
	f.Add(chrome)
	f.Add("Mozilla/5.0 (Android; [;:///http://)")
	f.Add("CrOS x86_64 /;Android ;Instagram")
	devices := []string{"", "desktop", "mobile", "tablet", "bot"}
	f.Fuzz(func(t *testing.T, userAgent string) {
		got := useragent.Parse(userAgent)
		require.Contains(t, devices, got.Device)
		require.LessOrEqual(t, len(got.Browser), len("Internet Explorer"))
		require.LessOrEqual(t, len(got.OS), len("Windows Phone"))
	})
}

func BenchmarkParse_Hostile(b *testing.B) {
	hostile := strings.Repeat("http://;", 1_000_000)
	for b.Loop() {
		useragent.Parse(hostile)
	}
}
