package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tributary/model"
)

const (
	seed     = 2026
	days     = 120 // how far back the data goes
	visitors = 500
	// strangers are customers whose visits nobody saw.
	strangers = 12
)

const day = 24 * time.Hour

// plan is what a demo website is filled with.
type plan struct {
	// journeys are the pageviews of each visitor, oldest first.
	journeys [][]model.RecordVisitInput
	// signups are what those who buy do before: one each.
	signups []model.RecordEventInput
	// payments are in the order in which they occurred.
	payments []model.RecordPaymentInput
}

// newPlan plans the days before that of the given time, in UTC. Every day has a plan of its own, always
// the same one; the ids in it are the same on all days.
func newPlan(at time.Time) plan {
	var p plan
	end := at.UTC().Truncate(day)
	for i := range visitors + strangers {
		v := newVisitor(i, end)
		if i < visitors {
			journey, checkout := v.journey(end)
			if len(journey) == 0 {
				continue
			}
			p.journeys = append(p.journeys, journey)
			if v.rng.Float64() < v.source.buys {
				c := newCustomer(v, &checkout)
				p.signups = append(p.signups, c.signup(checkout))
				p.payments = append(p.payments, c.payments(end)...)
			}
			continue
		}
		p.payments = append(p.payments, newCustomer(v, nil).payments(end)...)
	}
	slices.SortStableFunc(p.payments, func(a, b model.RecordPaymentInput) int {
		return a.OccurredAt.In(time.UTC).Compare(b.OccurredAt.In(time.UTC))
	})
	return p
}

func (p plan) pageviews() int {
	n := 0
	for _, journey := range p.journeys {
		n += len(journey)
	}
	return n
}

// visitor is somebody with random numbers of their own, so that one visitor's story does not depend
// on another's.
type visitor struct {
	rng       *rand.Rand
	number    int
	id        string
	country   country
	userAgent string
	source    source // of the first visit
	firstSeen time.Time
}

func newVisitor(number int, end time.Time) *visitor {
	rng := rand.New(rand.NewPCG(seed, uint64(number)))
	v := &visitor{
		rng: rng, number: number, id: newUUID(rng),
		country: draw(rng, countries), userAgent: draw(rng, userAgents), source: draw(rng, sources),
	}
	// Later days have more visitors than earlier ones.
	since := int(days * (1 - math.Pow(rng.Float64(), 1.2)))
	if v.source.launch > 0 {
		since = v.source.launch + int(rng.ExpFloat64()*1.5)
	}
	first := end.AddDate(0, 0, since-days)
	if v.source.issues {
		if sent := issueSent(first); sent.After(end.AddDate(0, 0, -days)) {
			first = sent.AddDate(0, 0, rng.IntN(3))
		}
	}
	v.firstSeen = v.awake(first)
	return v
}

// awake is a time on the day at which people where the visitor lives are awake. Half of what would be
// on a weekend is two days later.
func (v *visitor) awake(date time.Time) time.Time {
	moves := v.rng.IntN(2) == 0
	if weekday := date.Weekday(); moves && (weekday == time.Sunday || weekday == time.Saturday) {
		date = date.AddDate(0, 0, 2)
	}
	hour := min(max(14+4*v.rng.NormFloat64(), 6), 23)
	return date.Add(time.Duration((hour-float64(v.country.zone))*float64(time.Hour)) + v.randomTime(time.Minute)).Truncate(time.Second)
}

func (v *visitor) randomTime(below time.Duration) time.Duration {
	return time.Duration(v.rng.Int64N(int64(below)))
}

// checkout is a visit that could end with a purchase.
type checkout struct {
	at      time.Time
	session string
}

// journey is the visitor's pageviews up to the end, and the last of the visits before which a visitor
// makes up their mind.
func (v *visitor) journey(end time.Time) ([]model.RecordVisitInput, checkout) {
	var journey []model.RecordVisitInput
	var decision checkout
	visits := 1 + min(int(v.rng.ExpFloat64()*1.6), 6)
	decisive := v.rng.IntN(min(visits, 3))
	at, from := v.firstSeen, v.source
	for i := range visits {
		views := v.visit(at, from)
		last := views[len(views)-1].OccurredAt.In(time.UTC)
		if !last.Before(end) {
			break
		}
		journey = append(journey, views...)
		if i <= decisive {
			decision = checkout{at: last, session: *views[0].SessionID}
		}
		at = v.awake(at.Add(2*day + time.Duration(v.rng.ExpFloat64()*float64(5*day))).Truncate(day))
		from = draw(v.rng, returning)
	}
	return journey, decision
}

// visit is the pageviews of one visit.
func (v *visitor) visit(at time.Time, from source) []model.RecordVisitInput {
	session := "s" + newUUID(v.rng)
	landing := "https://" + Domain + from.pages[v.rng.IntN(len(from.pages))]
	query := from.query
	if from.issues {
		query += fmt.Sprintf("&utm_campaign=issue-%d", issue(at))
	}
	if query != "" {
		landing += "?" + query
	}
	view := model.RecordVisitInput{
		VisitorID: v.id, SessionID: &session, URL: landing, OccurredAt: timestamp(at),
		UserAgent: &v.userAgent, Country: &v.country.code,
	}
	if from.referrer != "" {
		view.Referrer = &from.referrer
	}
	views := []model.RecordVisitInput{view}
	for v.rng.IntN(4) == 0 && len(views) < 4 {
		at = at.Add(20*time.Second + v.randomTime(4*time.Minute)).Truncate(time.Second)
		view.URL, view.Referrer, view.OccurredAt = "https://"+Domain+innerPages[v.rng.IntN(len(innerPages))], &landing, timestamp(at)
		views = append(views, view)
	}
	return views
}

// The newsletter is sent every 14 days from the first issue on.
const issueEvery = 14 * day

var firstIssue = time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)

// issue is the number of the issue that was last sent.
func issue(at time.Time) int { return int(at.Sub(firstIssue)/issueEvery) + 1 }

// issueSent is the day on which the issue that was last sent was sent.
func issueSent(at time.Time) time.Time {
	return firstIssue.Add(time.Duration(issue(at)-1) * issueEvery)
}

func timestamp(t time.Time) *model.Timestamp {
	at := model.AtTime(t)
	return &at
}

// newUUID is a random UUID, version 4, as the trackers make them.
func newUUID(rng *rand.Rand) string {
	a, b := rng.Uint64(), rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}
