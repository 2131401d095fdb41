package model_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// byNet is an order in which keys are numbers, and ids are any that clients send.
var byNet = model.VisitorRevenueOrder{Field: model.OrderByNet, Direction: model.Descending}.List()

func TestNewPage(t *testing.T) {
	t.Parallel()

	t.Run("has 20 entries unless 1 to 100 are asked for", func(t *testing.T) {
		t.Parallel()
		page, err := model.NewPage(nil, nil, byNet)
		require.NoError(t, err)
		require.Equal(t, model.Page{First: 20}, page)
		require.True(t, page.IsFirst())
		for _, first := range []int{1, 100} {
			page, err := model.NewPage(&first, nil, byNet)
			require.NoError(t, err)
			require.Equal(t, first, page.First)
		}
		for _, first := range []int{-1, 0, 101, 99999999} {
			_, err := model.NewPage(&first, nil, byNet)
			requireFault(t, model.CodeTooManyItems, "first", err)
		}
	})

	t.Run("begins after a cursor of its own order", func(t *testing.T) {
		t.Parallel()
		cursor := byNet.Cursor("-12", "ü\"x")
		page, err := model.NewPage(nil, pointer(cursor.String()), byNet)
		require.NoError(t, err)
		require.Equal(t, cursor, page.After)
		require.False(t, page.IsFirst())
		text := base64.RawURLEncoding.EncodeToString
		for _, after := range map[string]string{
			"another order": model.PaymentOrder.Cursor("1", "x").String(), "a key that is none": byNet.Cursor("1e9", "x").String(),
			"no id": byNet.Cursor("1", "").String(), "an id that is none": byNet.Cursor("1", "a\x00").String(),
			"nothing": "", "no base64": "?", "padding": cursor.String() + "=", "no JSON": text([]byte("x")),
			"too long": text([]byte(`{"o":"NET DESC","k":"1","i":"x"` + strings.Repeat(" ", 2048) + `}`)),
		} {
			_, err := model.NewPage(nil, &after, byNet)
			requireFault(t, model.CodeInvalidCursor, "after", err)
		}
	})
}

func TestListOrder(t *testing.T) {
	t.Parallel()
	orderOf := func(field model.VisitorRevenueOrderField) model.ListOrder {
		return model.VisitorRevenueOrder{Field: field, Direction: model.Ascending}.List()
	}
	const uuid, at = "018f0000-0000-7000-8000-00000000000f", "2026-05-20T12:00:00.000001Z"

	t.Run("reads the cursors that it writes", func(t *testing.T) {
		t.Parallel()
		for _, test := range []struct {
			order   model.ListOrder
			key, id string
		}{
			{model.PaymentOrder, at, uuid}, {model.VisitOrder, "0001-01-01T00:00:00Z", uuid},
			{orderOf(model.OrderByNet), "-" + strings.Repeat("9", 64), "v"}, {orderOf(model.OrderByGross), "0", "v"},
			{orderOf(model.OrderByPayments), "9223372036854775807", "v"},
			{orderOf(model.OrderByLastPaymentAt), "2026-05-20 12:00:00.5+00", "v"},
			// Nothing that a client may send as an id makes a cursor too long.
			{orderOf(model.OrderByLastPaymentAt), "2026-05-20 12:00:00.123456+00", strings.Repeat("<", 255)},
			{orderOf(model.OrderByNet), "-" + strings.Repeat("9", 64), strings.Repeat("<", 255)},
		} {
			cursor := test.order.Cursor(test.key, test.id)
			page, err := model.NewPage(nil, pointer(cursor.String()), test.order)
			require.NoError(t, err, test.key)
			require.Equal(t, cursor, page.After)
		}
		require.Equal(t, at, model.TimeKey(time.Date(2026, 5, 20, 14, 0, 0, 1000, time.FixedZone("", 7200))))
	})

	t.Run("refuses what a database could not compare", func(t *testing.T) {
		t.Parallel()
		for _, test := range []struct {
			order model.ListOrder
			keys  []string
			ids   []string
		}{
			{model.PaymentOrder, []string{"", "x", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-05-20T12:00:00+02:00", "2026-05-20 12:00:00Z", "infinity"},
				[]string{"", "v", strings.ToUpper(uuid), strings.ReplaceAll(uuid, "-", "0"), uuid[1:], "{" + uuid + "}", uuid[:35] + "g"}},
			{orderOf(model.OrderByNet), []string{"", "-", "--1", "1-2", "1e9", "NaN", "1.5", " 1", strings.Repeat("9", 65)}, []string{"", " v", "v\x00", strings.Repeat("v", 256)}},
			{orderOf(model.OrderByPayments), []string{"", "99999999999999999999", "1.5"}, nil},
			{orderOf(model.OrderByLastPaymentAt), []string{"", at, "0000-05-01 00:00:00+00", "2026-05-20 12:00:00+20", "infinity"}, nil},
		} {
			refuse := func(key, id string) {
				_, err := model.NewPage(nil, pointer(test.order.Cursor(key, id).String()), test.order)
				requireFault(t, model.CodeInvalidCursor, "after", err)
			}
			for _, key := range test.keys {
				refuse(key, uuid)
			}
			for _, id := range test.ids {
				refuse(map[bool]string{true: at, false: "1"}[test.keys[1] == "x"], id)
			}
		}
	})
}

func TestPaginate(t *testing.T) {
	t.Parallel()
	cursor := func(n *string) model.Cursor { return model.Cursor{Order: "o", ID: *n} }
	edge := func(at string, n *string) [2]string { return [2]string{at, *n} }
	at := func(id string) *string { return pointer(model.Cursor{Order: "o", ID: id}.String()) }
	for name, test := range map[string]struct {
		page  model.Page
		nodes []string
		want  []string
		info  model.PageInfo
	}{
		"nothing":         {model.Page{First: 2}, nil, nil, model.PageInfo{}},
		"less than asked": {model.Page{First: 2}, []string{"a"}, []string{"a"}, model.PageInfo{StartCursor: at("a"), EndCursor: at("a")}},
		"as many":         {model.Page{First: 2}, []string{"a", "b"}, []string{"a", "b"}, model.PageInfo{StartCursor: at("a"), EndCursor: at("b")}},
		"one more": {
			model.Page{First: 2, After: model.Cursor{ID: "0"}}, []string{"a", "b", "c"}, []string{"a", "b"},
			model.PageInfo{HasNextPage: true, HasPreviousPage: true, StartCursor: at("a"), EndCursor: at("b")},
		},
	} {
		edges, info := model.Paginate(test.page, test.nodes, cursor, edge)
		require.NotNil(t, edges, name)
		require.Len(t, edges, len(test.want), name)
		for i, id := range test.want {
			require.Equal(t, [2]string{*at(id), id}, edges[i], name)
		}
		require.Equal(t, &test.info, info, name)
	}
}

// FuzzNewPage reads cursors that nobody made: they are refused, or are what they say.
func FuzzNewPage(f *testing.F) {
	for _, c := range []model.Cursor{byNet.Cursor("1", "x"), byNet.Cursor("-1", "é"), model.VisitOrder.Cursor("1", "x"), {}} {
		f.Add(c.String())
	}
	f.Add("")
	f.Add("eyJvIjoiTkVUIERFU0MifQ") // {"o":"NET DESC"}
	f.Fuzz(func(t *testing.T, after string) {
		page, err := model.NewPage(nil, &after, byNet)
		if err != nil {
			requireFault(t, model.CodeInvalidCursor, "after", err)
			return
		}
		require.Equal(t, "NET DESC", page.After.Order)
		require.NoError(t, model.CheckID(page.After.ID))
		again, err := model.NewPage(nil, pointer(page.After.String()), byNet)
		require.NoError(t, err)
		require.Equal(t, page, again)
	})
}
