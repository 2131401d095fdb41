package demo

import (
	"math/rand/v2"

	"tributary/model"
)

// choice is one of several, drawn as often as its weight says.
type choice[T any] struct {
	weight int
	value  T
}

func draw[T any](rng *rand.Rand, of []choice[T]) T {
	total := 0
	for _, c := range of {
		total += c.weight
	}
	n := rng.IntN(total)
	for _, c := range of {
		if n -= c.weight; n < 0 {
			return c.value
		}
	}
	panic("unreachable: n is below the total")
}

// source is where visits come from.
type source struct {
	referrer string
	query    string // of the landing page
	pages    []string
	buys     float64 // the share of its visitors that become customers
	launch   int     // the day of the plan on which most of its visitors came; 0 if there is none
	issues   bool    // a newsletter: its campaign is the issue that was last sent
}

var (
	google     = source{referrer: "https://www.google.com/", pages: []string{"/", "/features", "/blog/meeting-notes-that-get-read", "/templates"}, buys: 0.30}
	direct     = source{pages: []string{"/", "/pricing"}, buys: 0.30}
	newsletter = source{query: "utm_source=newsletter&utm_medium=email", pages: []string{"/blog/a-week-without-meetings", "/pricing"}, buys: 0.42, issues: true}
)

var sources = []choice[source]{
	{21, google},
	{3, source{referrer: "https://www.bing.com/", pages: []string{"/", "/features"}, buys: 0.28}},
	{14, direct},
	{2, source{referrer: "android-app://com.google.android.gm/", pages: []string{"/pricing"}, buys: 0.35}},
	{13, newsletter},
	{10, source{referrer: "https://x.com/", pages: []string{"/", "/blog/how-we-write-things-down"}, buys: 0.22}},
	{11, source{referrer: "https://www.producthunt.com/", pages: []string{"/"}, buys: 0.16, launch: 38}},
	{9, source{query: "utm_source=chatgpt.com", pages: []string{"/features", "/compare"}, buys: 0.45}},
	{4, source{referrer: "https://blog.partner.example/note-apps-for-small-teams", pages: []string{"/pricing", "/features"}, buys: 0.42}},
	{3, source{query: "via=desk-notes&utm_medium=affiliate", pages: []string{"/pricing"}, buys: 0.38}},
	{6, source{referrer: "https://www.google.com/", query: "utm_source=google&utm_medium=cpc&utm_campaign=team-notes&utm_term=shared+notes&gclid=demo", pages: []string{"/pricing"}, buys: 0.30}},
	{5, source{referrer: "https://l.facebook.com/", query: "utm_source=facebook&utm_medium=paid_social&utm_campaign=calm-teams&fbclid=demo", pages: []string{"/features"}, buys: 0.14}},
	{4, source{referrer: "https://www.reddit.com/", pages: []string{"/blog/how-we-write-things-down"}, buys: 0.12}},
}

// returning is where visitors come from that know the website.
var returning = []choice[source]{{60, direct}, {18, google}, {22, newsletter}}

// innerPages are viewed after the landing page.
var innerPages = []string{"/pricing", "/features", "/docs", "/templates", "/about"}

// country is where a visitor is.
type country struct {
	code     string
	currency model.Currency
	zone     int // hours east of UTC
}

var countries = []choice[country]{
	{36, country{"US", "USD", -6}},
	{9, country{"GB", "GBP", 0}},
	{11, country{"DE", "EUR", 1}},
	{6, country{"FR", "EUR", 1}},
	{4, country{"NL", "EUR", 1}},
	{8, country{"JP", "JPY", 9}},
	{7, country{"CA", "USD", -5}},
	{6, country{"IN", "USD", 5}},
	{5, country{"BR", "USD", -3}},
	{5, country{"AU", "USD", 10}},
	{3, country{"SE", "USD", 1}},
}

var userAgents = []choice[string]{
	{32, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"},
	{22, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"},
	{18, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"},
	{12, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"},
	{7, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"},
	{6, "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"},
	{3, "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"},
}

// offer is something that can be bought.
type offer struct {
	plan     string
	interval string // month, year or once
	prices   map[model.Currency]int64
}

// offers have their prices in minor units.
var offers = []choice[offer]{
	{34, offer{"solo", "month", map[model.Currency]int64{"USD": 900, "EUR": 900, "GBP": 800, "JPY": 1400}}},
	{34, offer{"pro", "month", map[model.Currency]int64{"USD": 2900, "EUR": 2700, "GBP": 2400, "JPY": 4400}}},
	{12, offer{"team", "month", map[model.Currency]int64{"USD": 9900, "EUR": 9500, "GBP": 7900, "JPY": 14800}}},
	{8, offer{"pro", "year", map[model.Currency]int64{"USD": 29000, "EUR": 25000, "GBP": 22000, "JPY": 42000}}},
	{12, offer{"templates", "once", map[model.Currency]int64{"USD": 1900, "EUR": 1790, "GBP": 1590, "JPY": 2800}}},
}

var firstNames = []string{
	"Ada", "Bruno", "Chiyo", "Dario", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Lior",
	"Mira", "Nils", "Oona", "Pavel", "Quinn", "Rosa", "Sami", "Tova", "Uma", "Viktor", "Wanda", "Yuki", "Zeno",
}

var lastNames = []string{
	"Ashgrove", "Brightwater", "Copperfield", "Dunmore", "Elmwood", "Fairweather", "Greenhill", "Hazelton",
	"Ironwood", "Juniper", "Kettleby", "Larkspur", "Mapleton", "Northway", "Oakenfold", "Pinehurst", "Quillon", "Redfern",
	"Silverlake", "Thornbury", "Underhill", "Violet", "Westbrook", "Yarrow",
}
