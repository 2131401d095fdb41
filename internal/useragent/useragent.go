// Package useragent reads what a User-Agent header tells about a visitor's device, browser and
// operating system.
package useragent

import (
	"slices"
	"strings"

	mileusna "github.com/mileusna/useragent"

	"tributary/model"
)

// maxBytes is how much of a header is read. Browsers send 100 to 300 bytes, apps with a browser
// inside somewhat more, with what matters at the beginning.
const maxBytes = 512

// The devices of model.Client.
const (
	desktop = "desktop"
	mobile  = "mobile"
	tablet  = "tablet"
	bot     = "bot"
)

// browsers are the names that the library finds and that mean a browser or a well-known bot, with
// the names that are shown. Everything else in a header is whatever its sender liked to write: it
// would fill reports with names of one visit each.
var browsers = map[string]string{
	mileusna.Chrome:           "Chrome",
	mileusna.Firefox:          "Firefox",
	mileusna.Safari:           "Safari",
	mileusna.Edge:             "Edge",
	mileusna.Opera:            "Opera",
	mileusna.OperaMini:        "Opera Mini",
	mileusna.OperaTouch:       "Opera Touch",
	mileusna.Vivaldi:          "Vivaldi",
	mileusna.SamsungBrowser:   "Samsung Browser",
	mileusna.InternetExplorer: "Internet Explorer",
	"Trident":                 "Internet Explorer",
	"Android browser":         "Android Browser",
	"Miui Browser":            "Miui Browser",
	"Huawei Browser":          "Huawei Browser",
	"YaBrowser":               "Yandex Browser",
	"UCBrowser":               "UC Browser",
	"DuckDuckGo":              "DuckDuckGo",
	"Ddg":                     "DuckDuckGo",
	"Silk":                    "Amazon Silk",
	"Whale":                   "Whale",
	"Brave":                   "Brave",

	mileusna.FacebookApp:  "Facebook App",
	mileusna.InstagramApp: "Instagram App",
	mileusna.TiktokApp:    "TikTok App",

	mileusna.HeadlessChrome:      "Headless Chrome",
	mileusna.Googlebot:           "Googlebot",
	mileusna.GoogleAdsBot:        "Google Ads Bot",
	mileusna.Bingbot:             "Bingbot",
	"bingbot":                    "Bingbot",
	mileusna.Applebot:            "Applebot",
	mileusna.Twitterbot:          "Twitterbot",
	mileusna.FacebookExternalHit: "Facebook",
	mileusna.YandexBot:           "YandexBot",
	"GPTBot":                     "GPTBot",
	"ClaudeBot":                  "ClaudeBot",
}

// botWords stand in the headers of programs that read pages on their own, in lower case, beside those that
// the library knows.
var botWords = []string{
	"bot", "crawl", "spider", "slurp", "headless", "phantomjs", "prerender", "lighthouse", "pagespeed", "pingdom", "gtmetrix",
	"statuscake", "uptime", "facebookexternalhit", "embedly", "mediapartners", "bingpreview", "whatsapp/",
	"scrapy", "puppeteer", "playwright", "selenium", "webdriver",
}

// IsBot says whether a User-Agent is that of a program that reads pages on its own, or of a browser that nobody
// looks at. A program that sends events for others, such as an HTTP client of a server, is none, and neither
// is one without a name.
func IsBot(userAgent string) bool {
	if len(userAgent) > maxBytes {
		userAgent = userAgent[:maxBytes]
	}
	lower := strings.ReplaceAll(strings.ToLower(userAgent), "cubot", "") // which makes phones
	return slices.ContainsFunc(botWords, func(word string) bool { return strings.Contains(lower, word) }) ||
		Parse(userAgent).Device == bot && lower != ""
}

// Parse reads a User-Agent header of any length and content; only its first 512 bytes count. What
// it does not know stays "". All that it answers comes from fixed lists, never from the header.
func Parse(userAgent string) model.Client {
	if len(userAgent) > maxBytes {
		userAgent = userAgent[:maxBytes]
	}
	ua := mileusna.Parse(userAgent)
	return model.Client{Device: device(ua), Browser: browsers[ua.Name], OS: ua.OS}
}

func device(ua mileusna.UserAgent) string {
	switch {
	case ua.Bot:
		return bot
	case ua.Tablet, isAndroidTablet(ua):
		return tablet
	case ua.Mobile:
		return mobile
	case ua.Desktop:
		return desktop
	}
	return ""
}

// isAndroidTablet knows the tablets among Chrome's relatives, which say Mobile on phones only:
// https://developer.chrome.com/docs/multidevice/user-agent
func isAndroidTablet(ua mileusna.UserAgent) bool {
	return ua.IsAndroid() && strings.Contains(ua.String, "AppleWebKit/") && !strings.Contains(ua.String, "Mobile")
}
