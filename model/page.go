package model

import (
	"encoding/base64"
	"encoding/json"
)

// The limits of a page.
const (
	DefaultPageSize = 20
	MaxPageSize     = 100
)

// maxCursor is the greatest length of a cursor, in bytes. One of an id of 255 bytes that JSON all escapes has 2,182.
const maxCursor = 2560

// Page is which part of a list is asked for.
type Page struct {
	First int
	After *Cursor // nil for the first page
}

// Cursor is a place in a list: the sort key and the id of an entry. It holds no right to read
// anything: lists are always limited to the caller's website.
type Cursor struct {
	Order string `json:"o"` // the order it belongs to
	Key   string `json:"k"`
	ID    string `json:"i"`
}

// String is the cursor as clients see it: opaque text.
func (c Cursor) String() string {
	raw, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// NewPage checks the arguments of a list that is in the given order. Errors: CodeTooManyItems for
// first, CodeInvalidCursor for after.
func NewPage(first *int, after *string, order string) (Page, error) {
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
	invalid := Errorf(CodeInvalidCursor, "after", "not a cursor of this list in this order")
	if len(*after) > maxCursor {
		return Page{}, invalid
	}
	raw, err := base64.RawURLEncoding.DecodeString(*after)
	if err != nil {
		return Page{}, invalid
	}
	var c Cursor
	if json.Unmarshal(raw, &c) != nil || c.Order != order || CheckID(c.ID) != nil {
		return Page{}, invalid
	}
	page.After = &c
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
	info := &PageInfo{HasPreviousPage: page.After != nil, HasNextPage: len(nodes) > page.First}
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
