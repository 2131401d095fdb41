package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// kept is all that is kept of people at a website, row by row.
func (b *bundle) kept(conn *pgx.Conn) (rows []string) {
	b.t.Helper()
	for _, table := range db.PersonalTables() {
		column := "website_id"
		if table.Table == "websites" {
			column = "id"
		}
		rows = append(rows, value[string](b.t, conn, fmt.Sprintf(`SELECT '%[1]s: ' || coalesce(string_agg(t::text, E'\n' ORDER BY t::text), '') FROM %[1]s t WHERE %s = $1`,
			table.Table, column), b.site.ID))
	}
	return rows
}

// The same people at another website of the same server are others.
func TestStore_ErasePerson_atOneWebsite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := *b
	other.site = b.website("USD")
	long := now.AddDate(0, 0, -60)
	for _, one := range []*bundle{b, &other} {
		one.leave()
		for _, visitor := range []string{"guest", "claimer"} { // the second names who has paid as the first one
			one.viewAt(visitor, "old", long)
			one.happen(model.RecordEventInput{VisitorID: visitor, Type: model.EventPayment, CustomerID: ptr("guest-customer"), OccurredAt: ptr(model.AtTime(long))})
		}
		one.happen(model.RecordEventInput{VisitorID: "claimer", Type: model.EventPayment, CustomerID: ptr("other-customer"), OccurredAt: ptr(model.AtTime(long))})
		one.happen(model.RecordEventInput{VisitorID: "canary-visitor", Type: model.EventPayment, CustomerID: ptr("other-customer")})
	}
	conn := connect(t, b.dsn)
	before, totals := other.kept(conn), other.totals(model.Range{})

	pruned, err := b.PruneVisits(t.Context(), b.site, now.AddDate(0, 0, -30))
	require.NoError(t, err)
	require.Equal(t, 2, pruned.Visitors)
	require.Equal(t, before, other.kept(conn), "pruned")
	for _, in := range []model.ErasePersonInput{{Email: ptr("canary-mail@shop.example")}, {CustomerID: ptr("other-customer")}} {
		require.Positive(t, b.erase(in).Payments)
		require.Equal(t, before, other.kept(conn), "erased")
	}
	require.Equal(t, totals, other.totals(model.Range{}))
}

// What a visitor brought follows the ledger when the visitor is not forgotten, only who paid as it, or one of those who
// did.
func TestStore_ErasePerson_rollups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.view("v")
	b.pay(paid("t1", "v", "", "ada@shop.example"), paid("t2", "v", "", "bob@shop.example"), paid("t3", "w", "", "bob@shop.example"))
	for _, in := range []model.ErasePersonInput{
		{Email: ptr("ada@shop.example"), Only: ptr(true)}, {VisitorID: ptr("v"), Only: ptr(true)}, {Email: ptr("bob@shop.example"), Only: ptr(true)},
	} {
		b.erase(in)
		b.verified()
	}
	require.Zero(t, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM visitor_rollups`))
}

// The visitor that somebody else is credited to, or known by, instead of one who is forgotten.
func TestStore_ErasePerson_foundAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, visitor := range []string{"shared", "seen", "seen later", "home"} {
		b.view(visitor)
	}
	for i, in := range []model.RecordPaymentInput{
		paid("t1", "shared", "", "bob@shop.example"),
		paid("t2", "never seen", "", "bob@shop.example"), paid("t3", "seen", "", "bob@shop.example"), paid("t4", "seen later", "", "bob@shop.example"),
		paid("t5", "nobody", "c", ""), paid("t6", "home", "", "carol@shop.example"), paid("t7", "kiosk", "c", "carol@shop.example"), refund("r7", "t7"),
	} {
		p, err := in.Validate(b.site, now.Add(time.Duration(i)*time.Second))
		require.NoError(t, err)
		_, err = b.RecordPayment(t.Context(), b.site, &p)
		require.NoError(t, err)
	}
	for _, visitor := range []string{"shared", "kiosk"} {
		b.erase(model.ErasePersonInput{VisitorID: &visitor, Only: ptr(true)})
	}
	b.pay(paid("t8", "", "", "bob@shop.example"))
	require.Equal(t, []string{
		"r7   home REFUNDED_PAYMENT false", "t1  bob@shop.example seen EMAIL false",
		"t2  bob@shop.example never seen VISITOR_ID false", "t3  bob@shop.example seen VISITOR_ID false", "t4  bob@shop.example seen later VISITOR_ID false",
		"t5 c  nobody VISITOR_ID false", "t6  carol@shop.example home VISITOR_ID false", "t7 c carol@shop.example home EMAIL false",
		"t8  bob@shop.example seen EMAIL false",
	}, b.entries(connect(t, b.dsn)), "the first one that was seen, be it by the e-mail")
}

// Whom a page had named is not kept once the visitor is gone who said so, and nobody is credited to it later.
func TestStore_PruneVisits_claimant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	long := now.AddDate(0, 0, -60)
	b.viewAt("claimer", "old", long)
	b.view("payer")
	b.pay(paid("t1", "payer", "c", ""))
	b.happen(model.RecordEventInput{VisitorID: "claimer", Type: model.EventPayment, CustomerID: ptr("c"), OccurredAt: ptr(model.AtTime(long))})
	pruned, err := b.PruneVisits(t.Context(), b.site, now.AddDate(0, 0, -30))
	require.NoError(t, err)
	require.Equal(t, 1, pruned.Visitors)
	conn := connect(t, b.dsn)
	require.Empty(t, found(t, conn, "claimer"))
	_, err = b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: ptr("t1")}, now)
	require.NoError(t, err)
	b.pay(paid("t2", "", "c", ""))
	require.Equal(t, []string{"t2 c  - NONE false"}, b.entries(conn))
}

// A visitor is kept for an event as it is for a visit.
func TestStore_PruneVisits_eventStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := now.AddDate(0, 0, -30)
	b.viewAt("v", "old", now.AddDate(0, 0, -60))
	b.happen(model.RecordEventInput{VisitorID: "v", Type: model.EventCustom, Name: ptr("on the edge"), OccurredAt: ptr(model.AtTime(before))})
	pruned, err := b.PruneVisits(t.Context(), b.site, before)
	require.NoError(t, err)
	require.Equal(t, model.Pruned{Visits: 1}, pruned)
	require.Equal(t, "v on the edge", value[string](t, connect(t, b.dsn), `SELECT v.id || ' ' || e.name FROM events e JOIN visitors v ON v.id = e.visitor_id`))
}

// Who has paid nothing is forgotten too, with what a page says, though its visitor is not.
func TestStore_ErasePerson_onlyClaimed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.view("v")
	b.happen(model.RecordEventInput{VisitorID: "v", Type: model.EventPayment, Email: ptr("ada@shop.example")})
	b.happen(model.RecordEventInput{VisitorID: "v", Type: model.EventPayment, CustomerID: ptr("ada-1")})
	conn := connect(t, b.dsn)
	require.NotEmpty(t, found(t, conn, "ada@"))
	require.NotEmpty(t, found(t, conn, "ada-1"))
	b.erase(model.ErasePersonInput{Email: ptr("Ada@shop.example"), Only: ptr(true)})
	require.Empty(t, found(t, conn, "ada@"))
	b.erase(model.ErasePersonInput{CustomerID: ptr("ada-1"), Only: ptr(true)})
	require.Empty(t, found(t, conn, "ada-1"))
	require.NotEmpty(t, found(t, conn, "v"))
	b.pay(paid("t1", "", "ada-1", "ada@shop.example"))
	require.Equal(t, []string{"t1 ada-1 ada@shop.example - NONE false"}, b.entries(conn), "what comes later is new")
}

// A refund of the person's charge is the person's, whatever it carries: with that it would tell whose the charge was.
func TestStore_ErasePerson_refundByAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.view("clerk")
	byVisitor, byEmail := refund("r1", "t1"), refund("r2", "t1")
	byVisitor.VisitorID = ptr("clerk")
	byEmail.VisitorID, byEmail.Email = ptr("clerk"), ptr("help@shop.example")
	b.pay(paid("t1", "", "", "ada@shop.example"), byVisitor, byEmail, paid("t2", "clerk", "", ""))
	totals := b.totals(model.Range{})
	did := b.erase(model.ErasePersonInput{Email: ptr("ada@shop.example")})
	require.Equal(t, model.PersonTraces{Payments: 3}, did.PersonTraces)
	conn := connect(t, b.dsn)
	require.Equal(t, []string{"r1   - NONE true", "r2   - NONE true", "t1   - NONE true", "t2   clerk VISITOR_ID false"}, b.entries(conn))
	require.Empty(t, found(t, conn, "help@"))
	require.Equal(t, totals, b.totals(model.Range{}))
	b.verified()
}

// While what visitors brought is added up, rows of before that and how far it has come may name the person.
func TestStore_ErasePerson_whileBuilding(t *testing.T) {
	t.Parallel()
	for _, until := range []string{"", "canary-visitor"} {
		b := setup(t)
		b.pay(paid("t1", "a visitor", "", ""), paid("t2", "canary-visitor", "", "ada@shop.example"), paid("t3", "other", "", ""))
		conn := connect(t, b.dsn)
		_, err := conn.Exec(t.Context(), `UPDATE websites SET visitor_rollups_until = $2 WHERE id = $1`, b.site.ID, until)
		require.NoError(t, err)
		if until != "" {
			_, err = conn.Exec(t.Context(), `DELETE FROM visitor_rollups WHERE website_id = $1 AND visitor_id > $2`, b.site.ID, until)
			require.NoError(t, err)
		}
		require.NotEmpty(t, found(t, conn, "canary-visitor"))
		b.erase(model.ErasePersonInput{Email: ptr("ada@shop.example")})
		require.Empty(t, found(t, conn, "canary-visitor"), "built until %q", until)
		require.NoError(t, b.BuildRollups(t.Context(), b.site.ID, func(model.RollupProgress) {}))
		require.True(t, b.verified().IsComplete)
	}
}

// Of others' payments goes all that was the visitor's.
func TestStore_ErasePerson_othersSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := paid("t1", "shared", "", "bob@shop.example")
	in.SessionID = ptr("canary-session")
	b.pay(in)
	b.erase(model.ErasePersonInput{VisitorID: ptr("shared"), Only: ptr(true)})
	conn := connect(t, b.dsn)
	require.Empty(t, found(t, conn, "canary-session"))
	require.Equal(t, []string{"t1  bob@shop.example - NONE false"}, b.entries(conn))
}

// A customer for whom only a page speaks again, once the payments are gone, is one whom payments know better.
func TestStore_DeletePayments_claimedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, visitor := range []string{"payer", "claimer", "later"} {
		b.view(visitor)
	}
	b.pay(paid("t1", "payer", "c", ""))
	b.happen(model.RecordEventInput{VisitorID: "claimer", Type: model.EventPayment, CustomerID: ptr("c")})
	_, err := b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: ptr("t1")}, now)
	require.NoError(t, err)
	b.pay(paid("t2", "", "c", ""), paid("t3", "later", "c", ""), paid("t4", "", "c", ""))
	require.Equal(t, []string{"t2 c  claimer CUSTOMER_ID false", "t3 c  later VISITOR_ID false", "t4 c  later CUSTOMER_ID false"}, b.entries(connect(t, b.dsn)))
}

// A refund that came with a visitor who is forgotten finds that of its charge.
func TestStore_ErasePerson_refundOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := refund("r1", "t1")
	in.VisitorID, in.Email = ptr("shared"), ptr("bob@shop.example")
	b.pay(paid("t1", "home", "", ""), in, paid("t2", "", "", "bob@shop.example"))
	b.erase(model.ErasePersonInput{VisitorID: ptr("shared"), Only: ptr(true)})
	require.Equal(t, []string{"r1  bob@shop.example home REFUNDED_PAYMENT false", "t1   home VISITOR_ID false", "t2  bob@shop.example home EMAIL false"},
		b.entries(connect(t, b.dsn)))
	b.verified()
}

// Whom a page has named beside the visitor who paid is the person's too.
func TestStore_ErasePerson_claimant(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]model.ErasePersonInput{"e-mail": {Email: ptr("ada@shop.example")}, "customer": {CustomerID: ptr("ada-1")}} {
		b := setup(t)
		for _, visitor := range []string{"payer", "claimer"} {
			b.view(visitor)
		}
		b.pay(paid("t1", "payer", valueOr(in.CustomerID), valueOr(in.Email)))
		b.happen(model.RecordEventInput{VisitorID: "claimer", Type: model.EventPayment, CustomerID: in.CustomerID, Email: in.Email})
		require.Equal(t, []string{"claimer", "payer"}, b.erase(in).Person.VisitorIDs, name)
		require.Empty(t, found(t, connect(t, b.dsn), "claimer"), name)
	}
}

func valueOr(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
