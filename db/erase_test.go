package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// erase forgets a person.
func (b *bundle) erase(in model.ErasePersonInput) *model.ErasePersonPayload {
	b.t.Helper()
	e, err := in.Validate()
	require.NoError(b.t, err)
	payload, err := b.ErasePerson(context.Background(), b.site, "token", e, now)
	require.NoError(b.t, err)
	return payload
}

// happen records an event of a visitor.
func (b *bundle) happen(in model.RecordEventInput) {
	b.t.Helper()
	in.URL = "https://shop.example/?of=" + in.VisitorID
	e, err := in.Validate(b.site, now)
	require.NoError(b.t, err)
	_, err = b.RecordEvent(context.Background(), b.site, e, now)
	require.NoError(b.t, err)
}

// paid is the input of a payment of 10.00 USD by somebody, of whom "" is not known.
func paid(id, visitor, customer, email string) model.RecordPaymentInput {
	in := charge(id)
	for to, value := range map[**string]string{&in.VisitorID: visitor, &in.CustomerID: customer, &in.Email: email} {
		if value != "" {
			*to = ptr(value)
		}
	}
	return in
}

func (b *bundle) pay(inputs ...model.RecordPaymentInput) {
	b.t.Helper()
	for _, in := range inputs {
		_, err := b.record(in)
		require.NoError(b.t, err, in.TransactionID)
	}
}

// found are the tables and columns in which a text is anywhere, whatever the letter case.
func found(t testing.TB, conn *pgx.Conn, text string) (places []string) {
	t.Helper()
	rows, err := conn.Query(context.Background(), `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`)
	require.NoError(t, err)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Table, Column string }])
	require.NoError(t, err)
	require.NotEmpty(t, columns)
	for _, c := range columns {
		if value[bool](t, conn, fmt.Sprintf(`SELECT EXISTS (SELECT FROM %q WHERE %q::text ILIKE '%%' || $1 || '%%')`, c.Table, c.Column), text) {
			places = append(places, c.Table+"."+c.Column)
		}
	}
	return places
}

// canaries are what a person leaves in every column that can hold something of one.
var canaries = []string{"canary-mail", "Canary Name", "canary-customer", "canary-visitor", "canary-session", "canary-meta", "canary-page", "canary-link", "canary-image", "canary-event"}

// leave has a person leave canaries in every column that can hold one, but the audit's, beside another person.
func (b *bundle) leave() {
	b.t.Helper()
	in := paid("t1", "canary-visitor", "canary-customer", "Canary-Mail@shop.example")
	in.Name, in.SessionID, in.Metadata = ptr("Canary Name"), ptr("canary-session"), model.Metadata{"note": "canary-meta"}
	b.pay(in, paid("t2", "", "canary-customer", ""), refund("r1", "t1"), paid("other", "other-visitor", "other-customer", "other@shop.example"))
	view, err := model.RecordVisitInput{
		VisitorID: "canary-visitor", SessionID: ptr("canary-session"), URL: "https://shop.example/canary-page?ref=canary-page&gclid=1",
		Referrer: ptr("https://canary-link.example/canary-link"),
	}.Validate(b.site, now, nil)
	require.NoError(b.t, err)
	_, err = b.RecordVisit(b.t.Context(), b.site, view, now)
	require.NoError(b.t, err)
	b.view("other-visitor")
	b.happen(model.RecordEventInput{VisitorID: "canary-visitor", Type: model.EventIdentify, UserID: ptr("canary-customer"), Name: ptr("Canary Name"), Image: ptr("https://shop.example/canary-image")})
	b.happen(model.RecordEventInput{VisitorID: "canary-visitor", Type: model.EventCustom, Name: ptr("canary-event"), Properties: model.Metadata{"note": "canary-meta"}})
	b.happen(model.RecordEventInput{VisitorID: "canary-visitor", Type: model.EventExternalLink, Name: ptr("canary-event"), Link: ptr("https://canary-link.example/")})
	b.happen(model.RecordEventInput{VisitorID: "canary-visitor", Type: model.EventPayment, Email: ptr("canary-mail-2@shop.example")})
	b.pay(paid("gone", "canary-visitor", "", ""))
	_, err = b.DeletePayments(b.t.Context(), b.site, "token", model.Deletion{VisitorID: ptr("canary-visitor"), Range: model.Range{From: now.AddDate(1, 0, 0)}}, now)
	require.NoError(b.t, err)
}

func TestStore_ErasePerson(t *testing.T) {
	t.Parallel()

	t.Run("leaves nothing of a person in any column, by whichever identifier, and no total moves", func(t *testing.T) {
		t.Parallel()
		for name, in := range map[string]model.ErasePersonInput{
			"e-mail":   {Email: ptr("CANARY-mail@shop.example")},
			"customer": {CustomerID: ptr("canary-customer")},
			"visitor":  {VisitorID: ptr("canary-visitor")},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				b.leave()
				conn := connect(t, b.dsn)
				var everywhere []string
				for _, canary := range canaries {
					everywhere = append(everywhere, found(t, conn, canary)...)
				}
				for _, table := range db.PersonalTables() {
					for _, column := range table.Identifies {
						if table.Table != "erasures" && table.Table != "websites" && column != "ad_click" {
							require.Subset(t, append(everywhere, "customers.basis"), []string{table.Table + "." + column}, "no canary was there")
						}
					}
				}
				before := b.totals(model.Range{})
				dry := in
				dry.DryRun = ptr(true)
				would := b.erase(dry)
				require.Nil(t, would.ID)
				did := b.erase(in)
				require.Equal(t, []any{4, 0, 1, 4, 1, 1, 1}, []any{did.Payments, did.OthersPayments, did.Visits, did.Events, did.Emails(), did.CustomerIDs(), did.VisitorIDs()})
				require.NotNil(t, did.ID)
				would.ID, would.DryRun = did.ID, false
				require.Equal(t, would, did)
				for _, canary := range canaries {
					require.Empty(t, found(t, conn, canary), canary)
				}
				require.Equal(t, before, b.totals(model.Range{}))
				require.NotEmpty(t, found(t, conn, "other@shop.example"))
				require.Equal(t, 1, value[int](t, conn, `SELECT count(*)::int FROM visitors`))
				require.Equal(t, 1, value[int](t, conn, `SELECT count(*)::int FROM erasures WHERE token_id = 'token' AND payments = 4 AND visits = 1 AND events = 4 AND finished_at IS NOT NULL`))
				require.Equal(t, 1, value[int](t, conn, `SELECT count(*)::int FROM payment_deletions WHERE visitor_id = ''`))
				again := b.erase(in)
				require.Equal(t, model.PersonTraces{}, again.PersonTraces)
			})
		}
	})

	t.Run("leads to all that is the same payer's, and through a shared browser to nobody else", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, visitor := range []string{"phone", "laptop", "shared"} {
			b.view(visitor)
		}
		b.pay(
			paid("t1", "phone", "ada-1", "ada@shop.example"), paid("t2", "laptop", "ada-1", ""), paid("t3", "shared", "", "ada@work.example"),
			paid("t4", "", "ada-1", "ada@work.example"), paid("t5", "shared", "bob-1", "bob@shop.example"), paid("t6", "", "", "bob@shop.example"),
			refund("r5", "t5"), paid("t7", "bobs", "bob-1", ""), paid("t8", "shared", "", ""),
		)
		conn := connect(t, b.dsn)
		before := b.totals(model.Range{})
		did := b.erase(model.ErasePersonInput{Email: ptr("ada@shop.example")})
		require.Equal(t, model.Person{Emails: []string{"ada@shop.example", "ada@work.example"}, CustomerIDs: []string{"ada-1"}, VisitorIDs: []string{"laptop", "phone", "shared"}}, did.Person)
		require.Equal(t, model.PersonTraces{Payments: 5, OthersPayments: 3, Visits: 3}, did.PersonTraces)
		require.Equal(t, before, b.totals(model.Range{}))
		require.Equal(t, []string{
			"r5   bobs REFUNDED_PAYMENT false", "t1   - NONE true", "t2   - NONE true", "t3   - NONE true", "t4   - NONE true",
			"t5 bob-1 bob@shop.example bobs CUSTOMER_ID false", "t6  bob@shop.example bobs EMAIL false", "t7 bob-1  bobs VISITOR_ID false", "t8   - NONE true",
		}, b.entries(conn), "those of others find another visitor of theirs")
		require.Empty(t, found(t, conn, "shared"))
	})

	t.Run("a visitor leads to those who paid as it, not to whom only a page has named", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay(paid("t1", "", "", "victim@shop.example"), paid("t2", "v", "", "own@shop.example"))
		b.view("v")
		b.happen(model.RecordEventInput{VisitorID: "v", Type: model.EventPayment, Email: ptr("victim@shop.example")})
		conn := connect(t, b.dsn)
		require.Contains(t, b.entries(conn), "t1  victim@shop.example v EMAIL false")
		did := b.erase(model.ErasePersonInput{VisitorID: ptr("v")})
		require.Equal(t, []any{1, 1, 1}, []any{did.Unproven, did.Payments, did.OthersPayments})
		require.Equal(t, []string{"t1  victim@shop.example - NONE false", "t2   - NONE true"}, b.entries(conn))
		require.Empty(t, found(t, conn, "own@"))
		require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM customers WHERE visitor_id IS NOT NULL OR claimant IS NOT NULL OR claimed`))
	})

	t.Run("others are found again by what else is known of them", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, visitor := range []string{"shared", "bobs", "carols"} {
			b.view(visitor)
		}
		b.pay(paid("t1", "bobs", "", "bob@shop.example"), paid("t2", "shared", "", "bob@shop.example"), refund("r2", "t2"))
		b.pay(paid("t3", "shared", "", "carol@shop.example"), paid("t4", "", "", "carol@shop.example"), refund("r4", "t4"))
		b.happen(model.RecordEventInput{VisitorID: "carols", Type: model.EventPayment, Email: ptr("carol@shop.example")})
		before := b.totals(model.Range{})
		b.erase(model.ErasePersonInput{VisitorID: ptr("shared"), Only: ptr(true)})
		require.Equal(t, []string{
			"r2   bobs REFUNDED_PAYMENT false", "r4   carols REFUNDED_PAYMENT false", "t1  bob@shop.example bobs VISITOR_ID false", "t2  bob@shop.example bobs EMAIL false",
			"t3  carol@shop.example carols EMAIL false", "t4  carol@shop.example carols EMAIL false",
		}, b.entries(connect(t, b.dsn)), "by a customer who was known otherwise, and by whom a page has named")
		require.Equal(t, before, b.totals(model.Range{}))
	})

	t.Run("of a second browser that says it is the same user nothing stays", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, visitor := range []string{"first", "second"} {
			b.view(visitor)
			b.happen(model.RecordEventInput{VisitorID: visitor, Type: model.EventIdentify, UserID: ptr("user-1")})
		}
		did := b.erase(model.ErasePersonInput{CustomerID: ptr("user-1")})
		require.Equal(t, []string{"first", "second"}, did.Person.VisitorIDs)
		conn := connect(t, b.dsn)
		require.Zero(t, value[int](t, conn, `SELECT (SELECT count(*) FROM visitors)::int + (SELECT count(*) FROM events)::int + (SELECT count(*) FROM customers)::int`))
	})

	t.Run("only what carries the identifier", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.view("kiosk")
		b.pay(paid("t1", "kiosk", "", "ada@shop.example"), paid("t2", "kiosk", "bob", ""), paid("t3", "kiosk", "", ""), paid("t4", "", "", "ada@shop.example"))
		did := b.erase(model.ErasePersonInput{VisitorID: ptr("kiosk"), Only: ptr(true)})
		require.Equal(t, model.PersonTraces{Payments: 1, OthersPayments: 3, Visits: 1}, did.PersonTraces)
		conn := connect(t, b.dsn)
		require.Equal(t, []string{"t1  ada@shop.example - NONE false", "t2 bob  - NONE false", "t3   - NONE true", "t4  ada@shop.example - NONE false"}, b.entries(conn))
		did = b.erase(model.ErasePersonInput{Email: ptr("ada@shop.example"), Only: ptr(true)})
		require.Equal(t, model.PersonTraces{Payments: 2}, did.PersonTraces)
		require.Empty(t, found(t, conn, "ada@"))
	})

	t.Run("nobody stays known whom only the person's payments named", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, visitor := range []string{"v", "page"} {
			b.view(visitor)
		}
		b.pay(paid("t1", "v", "gone", "ada@shop.example"), paid("t2", "v", "stays", "ada@shop.example"), paid("t3", "v", "claimed", "ada@shop.example"), paid("t4", "", "stays", ""))
		b.happen(model.RecordEventInput{VisitorID: "page", Type: model.EventIdentify, UserID: ptr("claimed")})
		b.erase(model.ErasePersonInput{Email: ptr("ada@shop.example"), Only: ptr(true)})
		conn := connect(t, b.dsn)
		require.Empty(t, found(t, conn, "gone"))
		require.Equal(t, "claimed page, stays v", value[string](t, conn, "SELECT string_agg(value || ' ' || visitor_id, ', ' ORDER BY value) FROM customers"))
		require.Contains(t, b.entries(conn), "t4 stays  v CUSTOMER_ID false")
	})

	t.Run("an identifier of very many is refused, unless only that is meant", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		var inputs []model.RecordPaymentInput
		for i := range model.MaxIdentifiers {
			inputs = append(inputs, paid(fmt.Sprint("t", i), "", fmt.Sprint("c", i), "guest@shop.example"))
		}
		_, err := b.RecordPayments(t.Context(), b.site, b.batch(inputs...))
		require.NoError(t, err)
		e := model.Erasure{PersonQuery: model.PersonQuery{Person: model.Person{CustomerIDs: []string{"c1"}}}}
		_, err = b.ErasePerson(t.Context(), b.site, "token", e, now)
		requireCode(t, model.CodeTooManyItems, err)
		require.Zero(t, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM payments WHERE erased`))
		e.Only = true
		did, err := b.ErasePerson(t.Context(), b.site, "token", e, now)
		require.NoError(t, err)
		require.Equal(t, 1, did.Payments)
	})
}

func TestStore_ErasePerson_later(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.view("v")
	b.pay(paid("t1", "v", "c", "ada@shop.example"), paid("t2", "v", "c", "ada@shop.example"))
	b.erase(model.ErasePersonInput{CustomerID: ptr("c")})
	conn := connect(t, b.dsn)

	again, err := b.record(paid("t1", "v", "c", "ada@shop.example"))
	require.NoError(t, err)
	require.Equal(t, model.OutcomeDuplicate, again.Outcome, "the provider's id is the key for ever")
	require.Empty(t, again.Differences)
	late := refund("r1", "t1")
	late.Email, late.CustomerID, late.VisitorID, late.Name = ptr("ada@shop.example"), ptr("c"), ptr("v"), ptr("Ada Lovelace")
	refunded, err := b.record(late)
	require.NoError(t, err)
	require.Equal(t, model.OutcomeRefunded, refunded.Outcome)
	require.True(t, refunded.Payment.Erased)
	late.TransactionID, late.Amount = "r2", "9.01"
	_, err = b.record(late)
	requireCode(t, model.CodeRefundExceedsCharge, err)
	for _, value := range []string{"ada@", "Lovelace"} {
		require.Empty(t, found(t, conn, value), "neither a duplicate nor a refund brings it back")
	}
	require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM customers`))

	b.view("v")
	b.pay(paid("t3", "v", "c", "ada@shop.example"), paid("t4", "", "", "ada@shop.example"))
	require.Equal(t, []string{
		"r1   - NONE true", "t1   - NONE true", "t2   - NONE true", "t3 c ada@shop.example v VISITOR_ID false", "t4  ada@shop.example v EMAIL false",
	}, b.entries(conn), "a later payment is new, and brings nothing back")
}

// totals are those of a website, as reports tell them.
func (b *bundle) totals(in model.Range) string {
	b.t.Helper()
	revenue, err := b.Revenue(b.t.Context(), b.site, model.RevenueQuery{Range: in})
	require.NoError(b.t, err)
	series, err := b.RevenueOverTime(b.t.Context(), b.site, model.RevenueOverTimeQuery{RevenueQuery: model.RevenueQuery{Range: model.Range{From: now.AddDate(0, 0, -3), To: now.AddDate(0, 0, 3)}}, Interval: model.IntervalDay})
	require.NoError(b.t, err)
	text := fmt.Sprintf("%+v", *revenue)
	for _, bucket := range series {
		text += fmt.Sprintf("\n%v %+v", bucket.Start, *bucket.Revenue)
	}
	return text
}

// entries are the website's: transaction, customer, e-mail, visitor, basis and whether it was erased.
func (b *bundle) entries(conn *pgx.Conn) []string {
	b.t.Helper()
	rows, err := conn.Query(b.t.Context(), `SELECT concat_ws(' ', transaction_id, coalesce(customer_id, ''), coalesce(email_folded, ''), coalesce(visitor_id, '-'), basis, erased::text)
		FROM payments WHERE website_id = $1 ORDER BY transaction_id`, b.site.ID)
	require.NoError(b.t, err)
	entries, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.t, err)
	return entries
}

// TestPersonalTables compares what is said of the columns with the schema.
func TestPersonalTables(t *testing.T) {
	t.Parallel()
	conn := connect(t, setup(t).dsn)
	require.Empty(t, unclassified(t, conn))
	for change, fault := range map[string]string{
		"ALTER TABLE visits ADD phone text":               "visits.phone is not classified: say in db/personal.go what it is to a person",
		"ALTER TABLE payments DROP COLUMN name":           "payments.name does not exist",
		"CREATE TABLE friends (website_id text, of text)": "friends is not classified: say in db/personal.go what it keeps of people",
	} {
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), change)
		require.NoError(t, err)
		require.Contains(t, unclassified(t, conn), fault)
		require.NoError(t, tx.Rollback(t.Context()))
	}
}

// unclassified are the columns that nobody has said of what they are to a person, or that do not exist.
func unclassified(t *testing.T, conn *pgx.Conn) (faults []string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`)
	require.NoError(t, err)
	columns := map[string][]string{}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		columns[table] = append(columns[table], column)
		return nil
	})
	require.NoError(t, err)
	known := map[string][]string{}
	for _, one := range db.PersonalTables() {
		known[one.Table] = slices.Concat(one.Identifies, one.Tells, one.Serves)
	}
	for table, names := range columns {
		_, isPersonal := known[table]
		if !isPersonal && !slices.Contains(db.ImpersonalTables(), table) {
			faults = append(faults, table+" is not classified: say in db/personal.go what it keeps of people")
		}
		for _, name := range names {
			switch n := strings.Count("\n"+strings.Join(known[table], "\n")+"\n", "\n"+name+"\n"); {
			case isPersonal && n == 0:
				faults = append(faults, table+"."+name+" is not classified: say in db/personal.go what it is to a person")
			case n > 1:
				faults = append(faults, table+"."+name+" is classified twice")
			}
		}
		for _, name := range known[table] {
			if !slices.Contains(names, name) {
				faults = append(faults, table+"."+name+" does not exist")
			}
		}
	}
	return faults
}
