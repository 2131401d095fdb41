package graph_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

const recordEvent = `mutation ($input: RecordEventInput!) {
	recordEvent(input: $input) {
		event { id type name page link properties occurredAt visitId }
		visitor { id seen visitCount lastSeenAt identity { userId name image } }
	}
}`

// event records an event of a visitor.
func (b *bundle) event(visitor, kind string, fields vars) node {
	b.t.Helper()
	input := vars{"visitorId": visitor, "type": kind, "url": "https://shop.example/"}
	maps.Copy(input, fields)
	return node{b.ask(recordEvent, vars{"input": input}).at("recordEvent")}
}

func TestRecordEvent(t *testing.T) {
	t.Parallel()
	shared := setup(t)

	t.Run("answers the event and its visitor", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		visit := b.visit("v", vars{"sessionId": "s", "occurredAt": "2026-05-20T10:00:00Z"}).at("visit.id")
		got := b.event("v", "CUSTOM", vars{"name": "signup", "properties": vars{"plan": "pro", "seats": 3}, "sessionId": "s", "occurredAt": "2026-05-20T10:30:00Z"})
		require.Equal(t, map[string]any{
			"event": map[string]any{
				"id": got.at("event.id"), "type": "CUSTOM", "name": "signup", "page": "https://shop.example/", "link": nil,
				"properties": map[string]any{"plan": "pro", "seats": 3.0}, "occurredAt": "2026-05-20T10:30:00Z", "visitId": visit,
			},
			"visitor": map[string]any{"id": "v", "seen": true, "visitCount": 1.0, "lastSeenAt": "2026-05-20T10:30:00Z", "identity": nil},
		}, got.value)
	})

	t.Run("belongs to the visit of its session, and keeps it from ending", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		custom := func(session, time string) any {
			return b.event("v", "CUSTOM", vars{"name": "n", "sessionId": session, "occurredAt": "2026-05-20T" + time + "Z"}).at("event.visitId")
		}
		require.Nil(t, custom("a", "10:00:00"), "there is no visit yet")
		first := b.visit("v", vars{"sessionId": "a", "occurredAt": "2026-05-20T10:00:00Z"})
		require.Equal(t, 1.0, first.at("visitor.visitCount"))
		other := b.visit("v", vars{"sessionId": "b", "occurredAt": "2026-05-20T10:01:00Z"})
		require.Equal(t, first.at("visit.id"), custom("a", "10:20:00"))
		require.Equal(t, other.at("visit.id"), custom("b", "10:20:00"))
		require.Nil(t, custom("c", "10:20:00"))
		require.Nil(t, custom("a", "09:59:59"), "before the visit")
		require.Equal(t, first.at("visit.id"), b.visit("v", vars{"sessionId": "a", "url": "https://shop.example/2", "occurredAt": "2026-05-20T10:50:00Z"}).at("visit.id"))
		require.Nil(t, custom("b", "10:50:00.000001"), "after the visit")
		require.Equal(t, 2.0, b.ask(`{ visitor(id: "v") { visitCount } }`, nil).at("visitor.visitCount"))
	})

	t.Run("identify tells who the visitor is, the latest wins", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		first := vars{"userId": "u1", "name": "Ada", "image": "https://img.example/1", "email": "Ada@example.com", "properties": vars{"plan": "pro"}}
		got := b.event("v", "IDENTIFY", first)
		require.Equal(t, map[string]any{"userId": "u1", "name": "Ada", "image": "https://img.example/1"}, got.at("visitor.identity"))
		require.Equal(t, []any{"IDENTIFY", nil, map[string]any{"plan": "pro"}}, []any{got.at("event.type"), got.at("event.name"), got.at("event.properties")})
		again := b.event("v", "IDENTIFY", first)
		require.Equal(t, []any{nil, got.at("visitor.identity")}, []any{again.at("event"), again.at("visitor.identity")}, "it tells nothing new")
		first["properties"] = vars{"plan": "team"}
		require.Equal(t, map[string]any{"plan": "team"}, b.event("v", "IDENTIFY", first).at("event.properties"), "it tells another attribute")
		require.Nil(t, b.event("v", "IDENTIFY", first).at("event"))
		delete(first, "properties")
		require.Nil(t, b.event("v", "IDENTIFY", first).at("event"))
		got = b.event("v", "IDENTIFY", vars{"userId": "u2", "name": " ", "image": ""})
		require.Equal(t, map[string]any{"userId": "u2", "name": nil, "image": nil}, got.at("visitor.identity"))
		b.event("v", "CUSTOM", vars{"name": "n"})
		b.visit("v", nil)
		data := b.ask(`{ visitor(id: "v") { identity { userId } events { edges { node { type } } } } }`, nil)
		require.Equal(t, "u2", data.at("visitor.identity.userId"))
		require.Equal(t, []any{"IDENTIFY", "IDENTIFY", "IDENTIFY", "CUSTOM"}, data.each("visitor.events.edges", "node.type"))
	})

	t.Run("payment and external link keep what they were sent", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		got := b.event("v", "PAYMENT", vars{"email": "a@b", "properties": vars{"stripe_session_id": "cs_1", "amount": 99}})
		require.Equal(t, map[string]any{"stripe_session_id": "cs_1", "amount": 99.0}, got.at("event.properties"))
		require.Equal(t, "0.00 − 0.00 = 0.00: 0 charges, 0 renewals, 0 refunds, 0 trials", b.totals(), "it brings no revenue")
		got = b.event("v", "EXTERNAL_LINK", vars{"link": "mailto:a@b", "name": "Write to us"})
		require.Equal(t, []any{"mailto:a@b", "Write to us"}, []any{got.at("event.link"), got.at("event.name")})
	})

	t.Run("reports all faults together", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		got := b.refused(recordEvent, vars{"input": vars{
			"visitorId": "", "sessionId": " ", "type": "IDENTIFY", "url": "shop.example", "userId": "\n", "image": "javascript:1", "email": "a", "occurredAt": "1969-12-31T23:59:59Z",
		}})
		require.Equal(t, []string{"visitorId", "sessionId", "url", "occurredAt", "userId", "image", "email"}, got.Extensions.Fields)
		for kind, field := range map[string]string{"CUSTOM": "name", "IDENTIFY": "userId", "PAYMENT": "email", "EXTERNAL_LINK": "link"} {
			got := b.refused(recordEvent, vars{"input": vars{"visitorId": "v", "type": kind, "url": "https://shop.example/"}})
			require.Equal(t, []any{"MISSING_FIELD", field}, []any{got.Extensions.Code, got.Extensions.Field}, kind)
		}
	})

	t.Run("counts towards the event limit", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.NoError(t, b.store.LimitAccount(t.Context(), b.site.AccountID, 2))
		b.event("v", "IDENTIFY", vars{"userId": "u"})
		b.event("v", "IDENTIFY", vars{"userId": "u"})
		b.event("v", "CUSTOM", vars{"name": "n"})
		got := b.refused(recordEvent, vars{"input": vars{"visitorId": "w", "type": "CUSTOM", "name": "n", "url": "https://shop.example/"}})
		require.Equal(t, "EVENT_LIMIT_REACHED", got.Extensions.Code)
		require.Nil(t, b.ask(`{ visitor(id: "w") { id } }`, nil).at("visitor"), "nothing of the refused event stays")
	})
}

func TestRecordEvent_attribution(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	customer := vars{"customerId": "u1", "email": "Ada@Example.com"}

	t.Run("earlier and later payments of the customer follow", func(t *testing.T) {
		t.Parallel()
		for kind, fields := range map[string]vars{
			"IDENTIFY": {"userId": "u1"}, "PAYMENT": {"email": "ada@example.com"},
		} {
			b := shared.another(t)
			b.pay("before", customer)
			b.refund("refund", "before", vars{"amount": "1"})
			require.Equal(t, "NONE", b.bases()["before"])
			b.event("v", kind, fields)
			basis := map[string]string{"IDENTIFY": "CUSTOMER_ID v", "PAYMENT": "EMAIL v"}[kind]
			b.pay("after", customer)
			require.Equal(t, map[string]string{"before": basis, "refund": "REFUNDED_PAYMENT v", "after": "CUSTOMER_ID v"}, b.bases())
		}
	})

	t.Run("takes no customer from another visitor", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.visit("v", nil)
		b.pay("t1", vars{"customerId": "c", "visitorId": "v"})
		b.pay("t2", vars{"customerId": "d", "visitorId": "unseen"})
		for _, id := range []string{"c", "d"} {
			b.event("thief", "IDENTIFY", vars{"userId": id})
			b.pay("later "+id, vars{"customerId": id})
		}
		b.event("first", "IDENTIFY", vars{"userId": "e"})
		b.event("second", "IDENTIFY", vars{"userId": "e"})
		b.pay("later e", vars{"customerId": "e"})
		require.Equal(t, map[string]string{
			"t1": "VISITOR_ID v", "t2": "NONE unseen", "later c": "CUSTOMER_ID v", "later d": "NONE unseen", "later e": "CUSTOMER_ID first",
		}, b.bases())
	})

	t.Run("gives way to a payment that comes with a visitor, who keeps the customer", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.pay("before", vars{"customerId": "c"})
		b.event("page", "IDENTIFY", vars{"userId": "c"})
		b.pay("unseen", vars{"customerId": "c", "visitorId": "payer"})
		b.pay("still", vars{"customerId": "c"})
		b.visit("payer", nil)
		b.pay("renewal", vars{"customerId": "c", "renewal": true})
		b.event("page", "IDENTIFY", vars{"userId": "c", "name": "again"})
		b.pay("last", vars{"customerId": "c"})
		require.Equal(t, map[string]string{
			"before": "CUSTOMER_ID page", "still": "CUSTOMER_ID page", // what was credited stays
			"unseen": "VISITOR_ID payer", "renewal": "CUSTOMER_ID payer", "last": "CUSTOMER_ID payer",
		}, b.bases())
	})

	t.Run("gives way at once if the visitor was seen", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.event("page", "PAYMENT", vars{"email": "a@b"})
		b.visit("payer", nil)
		b.pay("t1", vars{"email": "a@b", "visitorId": "payer"})
		b.pay("t2", vars{"email": "a@b"})
		require.Equal(t, "EMAIL payer", b.bases()["t2"])
	})

	t.Run("stays when the customer's payments are deleted", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.event("v", "IDENTIFY", vars{"userId": "c"})
		b.pay("t1", vars{"customerId": "c"})
		b.pay("t2", vars{"customerId": "c"})
		b.ask(deletePayments, vars{"input": vars{"transactionId": "t1"}})
		b.pay("t3", vars{"customerId": "c"})
		require.Equal(t, map[string]string{"t2": "CUSTOMER_ID v", "t3": "CUSTOMER_ID v"}, b.bases())
	})

	t.Run("stays when payments that came with a visitor are deleted", func(t *testing.T) {
		t.Parallel()
		for _, payer := range []string{"page", "other"} {
			b := shared.another(t)
			b.visit("other", nil)
			b.event("page", "PAYMENT", vars{"email": "a@b"})
			b.pay("t1", vars{"email": "a@b"})
			b.pay("wrong", vars{"email": "a@b", "visitorId": payer})
			b.pay("t2", vars{"email": "a@b"})
			require.Equal(t, map[string]string{"t1": "EMAIL page", "wrong": "VISITOR_ID " + payer, "t2": "EMAIL " + payer}, b.bases())
			b.ask(deletePayments, vars{"input": vars{"transactionId": "wrong"}})
			b.pay("t3", vars{"email": "a@b"})
			require.Equal(t, map[string]string{"t1": "EMAIL page", "t2": "EMAIL page", "t3": "EMAIL page"}, b.bases())
			b.pay("t4", vars{"email": "a@b", "visitorId": "other"})
			b.pay("t5", vars{"email": "a@b"})
			require.Equal(t, "EMAIL other", b.bases()["t5"])
		}
	})

	t.Run("at once with the payment is credited", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		concurrently(32, func(i int) string {
			if i%2 == 0 {
				b.pay(fmt.Sprint(i/8), vars{"email": fmt.Sprint("a", i/8, "@b")})
			} else {
				b.event(fmt.Sprint("v", i/8), "PAYMENT", vars{"email": fmt.Sprint("a", i/8, "@b")})
			}
			return ""
		})
		for id, basis := range b.bases() {
			require.Equal(t, "EMAIL v"+id, basis)
		}
	})
}

func TestVisitor_journey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	at := func(minute int) string { return fmt.Sprintf("2026-05-20T10:%02d:00Z", minute) }
	b.visit("v", vars{"url": "https://shop.example/?utm_source=news", "occurredAt": at(0)})
	b.event("v", "CUSTOM", vars{"name": "signup", "occurredAt": at(1)})
	b.event("v", "IDENTIFY", vars{"userId": "u", "occurredAt": at(2)})
	b.event("v", "PAYMENT", vars{"email": "a@b", "occurredAt": at(3)})
	b.pay("t1", vars{"email": "a@b", "occurredAt": at(3)})
	b.visit("v", vars{"url": "https://shop.example/?utm_source=ads", "occurredAt": at(5)})
	b.event("v", "EXTERNAL_LINK", vars{"link": "https://other.example/", "occurredAt": at(6)})
	b.pay("t2", vars{"visitorId": "v", "occurredAt": at(7)})
	b.visit("other", nil)
	b.pay("t3", vars{"visitorId": "other"})
	const query = `query ($first: Int, $after: String) { visitor(id: "v") { journey(first: $first, after: $after) {
		edges { node { kind: __typename ... on Visit { source } ... on Event { type } ... on Payment { transactionId } } } pageInfo { hasNextPage endCursor } } } }`
	steps := func(data node) (all []any) {
		edges, _ := data.at("visitor.journey.edges").([]any)
		for _, edge := range edges {
			step := node{edge}
			for _, field := range []string{"source", "type", "transactionId"} {
				if value := step.at("node." + field); value != nil {
					all = append(all, fmt.Sprint(step.at("node.kind"), " ", value))
				}
			}
		}
		return all
	}
	whole := []any{"Visit news", "Event CUSTOM", "Event IDENTIFY", "Payment t1", "Visit ads", "Event EXTERNAL_LINK", "Payment t2"}
	require.Equal(t, whole, steps(b.ask(query, nil)))
	for first := 1; first <= len(whole)+1; first++ {
		var all []any
		var after any
		for range len(whole) {
			got := b.ask(query, vars{"first": first, "after": after})
			all = append(all, steps(got)...)
			after = got.at("visitor.journey.pageInfo.endCursor")
			if got.at("visitor.journey.pageInfo.hasNextPage") == false {
				break
			}
		}
		require.Equal(t, whole, all, first)
	}
	got := b.refused(query, vars{"after": "none"})
	require.Equal(t, "INVALID_CURSOR", got.Extensions.Code)
}
