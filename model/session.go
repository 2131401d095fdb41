package model

import (
	"hash/fnv"
	"time"
)

// VisitIdle is how long a visitor may be idle before the next pageview starts another visit.
const VisitIdle = 30 * time.Minute

// sentAgain is how long after a pageview the same one is taken for the same request, sent again:
// trackers repeat what failed after 5 and after 10 seconds.
const sentAgain = 15 * time.Second

// Continues says whether the pageview v belongs to the visitor's visit current: it comes within
// VisitIdle of it and is Returning, or brings no other campaign.
func (v Visit) Continues(current Visit) bool {
	idle := v.StartedAt.Sub(current.LastSeenAt)
	inTime := idle <= VisitIdle && !v.StartedAt.Before(current.StartedAt)
	return inTime && (v.Returning || v.Campaign == Campaign{} || v.Campaign == current.Campaign)
}

// opens says whether the visit next goes on from the pageview v, which was before it and has come late.
func (v Visit) opens(next Visit) bool {
	return next.StartedAt.Sub(v.StartedAt) <= VisitIdle && (next.Campaign == Campaign{} || next.Campaign == v.Campaign)
}

// Surroundings are the visits of a visitor next to a pageview; nil where there is none.
type Surroundings struct {
	Last, LastOfSession *Visit // the latest that started before the pageview or with it
	Next, NextOfSession *Visit // the earliest that started after it
}

// ViewOutcome says what a pageview did.
type ViewOutcome int

// The outcomes of a pageview.
const (
	ViewStarts    ViewOutcome = iota // it starts a visit
	ViewContinues                    // it is added to a visit
	ViewOpens                        // it has come late, and becomes the first of a visit
	ViewRepeats                      // it was sent before, and changes nothing
)

// Place finds the visit that the pageview v belongs to, and answers it with the pageview in it; v
// itself if it starts one. A session that is not known starts another visit, unless the visitor only
// comes back. A pageview that comes late, from before a visit that goes on from it, becomes its first.
func (v Visit) Place(around Surroundings) (Visit, ViewOutcome) {
	anySession := v.SessionID == nil
	switch last := around.LastOfSession; {
	case last != nil && v.Continues(*last):
		return v.addedTo(*last)
	case around.Last != nil && (anySession || v.Returning) && v.Continues(*around.Last):
		return v.addedTo(*around.Last)
	}
	next := around.NextOfSession
	if anySession {
		next = around.Next
	}
	if next != nil && v.opens(*next) {
		return v.addedTo(*next)
	}
	v.Viewed, v.ViewedAt = v.fingerprint(), v.StartedAt
	return v, ViewStarts
}

// addedTo is the visit with the pageview v added to it.
func (v Visit) addedTo(visit Visit) (Visit, ViewOutcome) {
	page, sameSession := v.fingerprint(), v.SessionID == nil || visit.SessionID != nil && *v.SessionID == *visit.SessionID
	if sameSession && page == visit.Viewed && v.StartedAt.Sub(visit.ViewedAt).Abs() <= sentAgain {
		return visit, ViewRepeats
	}
	outcome := ViewContinues
	if v.StartedAt.Before(visit.StartedAt) {
		outcome = ViewOpens
		visit.StartedAt, visit.LandingPage, visit.Referrer = v.StartedAt, v.LandingPage, v.Referrer
		visit.Source, visit.Channel, visit.Campaign = v.Source, v.Channel, v.Campaign
		visit.ReferrerHost, visit.LandingPath = v.ReferrerHost, v.LandingPath
	}
	if !v.StartedAt.Before(visit.ViewedAt) {
		visit.Viewed, visit.ViewedAt = page, v.StartedAt
	}
	if v.LastSeenAt.After(visit.LastSeenAt) {
		visit.LastSeenAt = v.LastSeenAt
	}
	visit.Pageviews++
	return visit, outcome
}

// fingerprint tells a pageview's addresses from others; 0 is none.
func (v Visit) fingerprint() int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(v.LandingPage))
	if v.Referrer != nil {
		_, _ = h.Write([]byte{0})
		_, _ = h.Write([]byte(*v.Referrer))
	}
	return int64(h.Sum64())
}
