package model

// The limits of a page.
const (
	DefaultPageSize = 20
	MaxPageSize     = 100
)

// Page is which part of a list is asked for. Equal pages compare as equal.
type Page struct {
	First int
	After Cursor // zero for the first page
}

// IsFirst says whether the page begins where the list does.
func (p Page) IsFirst() bool { return p.After == Cursor{} }

// NewPage checks the arguments of a list that is in the given order. Errors: CodeTooManyItems for
// first, CodeInvalidCursor for after.
func NewPage(first *int, after *string, order ListOrder) (Page, error) {
	page := Page{First: DefaultPageSize}
	if first != nil {
		page.First = *first
	}
	if page.First < 1 || page.First > MaxPageSize {
		return Page{}, Errorf(CodeTooManyItems, "first", "first must be from 1 to %d", MaxPageSize)
	}
	if after == nil {
		return page, nil
	}
	cursor, ok := order.parse(*after)
	if !ok {
		return Page{}, Errorf(CodeInvalidCursor, "after", "not a cursor of this list in this order")
	}
	page.After = cursor
	return page, nil
}

// PageInfo says where a page stands in its list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// Paginate turns up to page.First+1 entries, read from page.After on, into a page of edges.
func Paginate[N, E any](page Page, nodes []N, cursor func(*N) Cursor, edge func(cursor string, node *N) E) ([]E, *PageInfo) {
	info := &PageInfo{HasPreviousPage: !page.IsFirst(), HasNextPage: len(nodes) > page.First}
	if info.HasNextPage {
		nodes = nodes[:page.First]
	}
	edges := make([]E, len(nodes))
	for i := range nodes {
		at := cursor(&nodes[i]).String()
		edges[i] = edge(at, &nodes[i])
		if i == 0 {
			info.StartCursor = &at
		}
		info.EndCursor = &at
	}
	return edges, info
}

// PaymentConnection is a page of payments.
type PaymentConnection struct {
	Edges    []PaymentEdge
	PageInfo *PageInfo
}

// PaymentEdge is a payment in a list.
type PaymentEdge struct {
	Cursor string
	Node   *Payment
}

// VisitConnection is a page of visits.
type VisitConnection struct {
	Edges    []VisitEdge
	PageInfo *PageInfo
}

// VisitEdge is a visit in a list.
type VisitEdge struct {
	Cursor string
	Node   *Visit
}

// VisitorRevenueConnection is a page of visitors with their revenue.
type VisitorRevenueConnection struct {
	Edges    []VisitorRevenueEdge
	PageInfo *PageInfo
}

// VisitorRevenueEdge is a visitor with its revenue in a list.
type VisitorRevenueEdge struct {
	Cursor string
	Node   *VisitorRevenue
}

// RevenueGroupConnection is a page of groups.
type RevenueGroupConnection struct {
	Edges    []RevenueGroupEdge
	PageInfo *PageInfo
	// Unattributed is the revenue of the entries that have no touchpoint.
	Unattributed *Revenue
}

// RevenueGroupEdge is a group in a list.
type RevenueGroupEdge struct {
	Cursor string
	Node   *RevenueGroup
}

// EventConnection is a page of events.
type EventConnection struct {
	Edges    []EventEdge
	PageInfo *PageInfo
}

// EventEdge is an event in a list.
type EventEdge struct {
	Cursor string
	Node   *Event
}

// JourneyConnection is a page of a visitor's journey.
type JourneyConnection struct {
	Edges    []JourneyEdge
	PageInfo *PageInfo
}

// JourneyEdge is a step of a visitor's journey in a list.
type JourneyEdge struct {
	Cursor string
	Node   JourneyStep
}
