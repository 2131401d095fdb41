package db_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// Events that share a transaction: several of a visitor, with visits and without, identities, and claims on a
// customer of which the first one counts.
func TestStore_RecordEvent_together(t *testing.T) {
	t.Parallel()
	const visitors, each = 5, 6
	b := setup(t)
	in := charge("t")
	in.Email = ptr("someone@shop.example")
	_, err := b.record(in)
	require.NoError(t, err)
	b.view("v0")
	require.NoError(t, b.signup(b.site, "first"))
	release := b.holdUp(b.site)
	var ended sync.WaitGroup
	ended.Go(func() { must(t, b.signup(b.site, "first")) }) // the others wait for it, and then go together
	waiting(t, b.dsn, 1)
	payloads := make([]*model.RecordEventPayload, visitors*each)
	for i := range payloads {
		event := model.RecordEventInput{VisitorID: fmt.Sprint("v", i%visitors), Type: model.EventCustom, Name: ptr(fmt.Sprint("e", i)), URL: "https://shop.example/"}
		switch i / visitors {
		case 1:
			event.Type, event.Name, event.UserID = model.EventIdentify, nil, ptr("user")
		case 2:
			event.Type, event.Name, event.Email = model.EventPayment, nil, ptr("someone@shop.example")
		}
		checked, err := event.Validate(b.site, now)
		require.NoError(t, err)
		ended.Go(func() {
			var err error
			payloads[i], err = b.RecordEvent(context.Background(), b.site, checked, now)
			must(t, err)
		})
	}
	release()
	ended.Wait()

	pages, err := b.EventsOfVisitors(t.Context(), b.site.ID, []string{"v0", "v1", "v2", "v3", "v4"}, model.Page{First: 100})
	require.NoError(t, err)
	for i, payload := range payloads {
		visitor := fmt.Sprint("v", i%visitors)
		require.Equal(t, visitor, payload.Visitor.ID)
		require.Equal(t, visitor == "v0", payload.Event.VisitID != nil, "only v0 has a visit")
		found := 0
		for _, edge := range pages[visitor].Edges {
			if edge.Node.ID == payload.Event.ID {
				found++
				require.Equal(t, payload.Event, edge.Node)
			}
		}
		require.Equal(t, 1, found)
		require.Len(t, pages[visitor].Edges, each)
	}
	conn := connect(t, b.dsn)
	require.Equal(t, "EMAIL", value[string](t, conn, `SELECT basis FROM payments`))
	require.Equal(t, visitors, value[int](t, conn, `SELECT count(*)::int FROM visitors WHERE user_id = 'user'`))
	require.Less(t, value[int](t, conn, `SELECT count(DISTINCT xmin::text)::int FROM events`), visitors*each, "they share transactions")
}
