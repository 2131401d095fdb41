package model

import (
	"cmp"
	"slices"
	"time"
)

// JourneyStep is something that a visitor did: a *Visit, an *Event or a *Payment.
type JourneyStep interface {
	// step is when it was, and its id.
	step() (at time.Time, id string)
	// IsJourneyStep marks the types that are one.
	IsJourneyStep()
}

func (v *Visit) step() (time.Time, string)   { return v.StartedAt, v.ID }
func (e *Event) step() (time.Time, string)   { return e.OccurredAt, e.ID }
func (p *Payment) step() (time.Time, string) { return p.OccurredAt, p.ID }

// IsJourneyStep implements JourneyStep.
func (v *Visit) IsJourneyStep() {}

// IsJourneyStep implements JourneyStep.
func (e *Event) IsJourneyStep() {}

// IsJourneyStep implements JourneyStep.
func (p *Payment) IsJourneyStep() {}

// JourneyEvents are the types of events that are steps of a journey. What a page says of a payment is
// none: the payment itself is.
var JourneyEvents = []EventType{EventCustom, EventIdentify, EventExternalLink}

// NewJourney is the page of the steps, of which there are up to page.First+1 of each kind, in the order
// of JourneyOrder.
func NewJourney(page Page, steps []JourneyStep) *JourneyConnection {
	slices.SortFunc(steps, func(a, b JourneyStep) int {
		atA, idA := a.step()
		atB, idB := b.step()
		return cmp.Or(atA.Compare(atB), cmp.Compare(idA, idB))
	})
	if len(steps) > page.First+1 {
		steps = steps[:page.First+1]
	}
	edges, info := Paginate(page, steps,
		func(s *JourneyStep) Cursor {
			at, id := (*s).step()
			return JourneyOrder.Cursor(TimeKey(at), id)
		},
		func(at string, s *JourneyStep) JourneyEdge { return JourneyEdge{Cursor: at, Node: *s} })
	return &JourneyConnection{Edges: edges, PageInfo: info}
}
