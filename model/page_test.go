package model_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestNewPage(t *testing.T) {
	t.Parallel()

	t.Run("has 20 entries unless 1 to 100 are asked for", func(t *testing.T) {
		t.Parallel()
		page, err := model.NewPage(nil, nil, "o")
		require.NoError(t, err)
		require.Equal(t, model.Page{First: 20}, page)
		for _, first := range []int{1, 100} {
			page, err := model.NewPage(&first, nil, "o")
			require.NoError(t, err)
			require.Equal(t, first, page.First)
		}
		for _, first := range []int{-1, 0, 101, 99999999} {
			_, err := model.NewPage(&first, nil, "o")
			requireFault(t, model.CodeTooManyItems, "first", err)
		}
	})

	t.Run("begins after a cursor of its own order", func(t *testing.T) {
		t.Parallel()
		cursor := model.Cursor{Order: "o", Key: "-12 <&>", ID: "ü\"x"}
		page, err := model.NewPage(nil, pointer(cursor.String()), "o")
		require.NoError(t, err)
		require.Equal(t, &cursor, page.After)
		text := base64.RawURLEncoding.EncodeToString
		for _, after := range map[string]string{
			"another order": model.Cursor{Order: "p", Key: "1", ID: "x"}.String(), "no id": model.Cursor{Order: "o", Key: "1"}.String(), "an id that is none": model.Cursor{Order: "o", ID: "a\x00"}.String(),
			"nothing": "", "no base64": "?", "padding": cursor.String() + "=", "no JSON": text([]byte("x")), "too long": text([]byte(`{"o":"o","i":"x","k":"` + strings.Repeat("1", 4096) + `"}`)),
		} {
			_, err := model.NewPage(nil, &after, "o")
			requireFault(t, model.CodeInvalidCursor, "after", err)
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
		"one more":        {model.Page{First: 2, After: &model.Cursor{}}, []string{"a", "b", "c"}, []string{"a", "b"}, model.PageInfo{HasNextPage: true, HasPreviousPage: true, StartCursor: at("a"), EndCursor: at("b")}},
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
	for _, c := range []model.Cursor{{Order: "o", Key: "1", ID: "x"}, {Order: "o", ID: "é"}, {Order: "p", ID: "x"}, {}} {
		f.Add(c.String())
	}
	f.Add("")
	f.Add("eyJvIjoibyJ9")
	f.Fuzz(func(t *testing.T, after string) {
		page, err := model.NewPage(nil, &after, "o")
		if err != nil {
			requireFault(t, model.CodeInvalidCursor, "after", err)
			return
		}
		require.Equal(t, "o", page.After.Order)
		require.NoError(t, model.CheckID(page.After.ID))
		if utf8.ValidString(page.After.Key) {
			again, err := model.NewPage(nil, pointer(page.After.String()), "o")
			require.NoError(t, err)
			require.Equal(t, page, again)
		}
	})
}
