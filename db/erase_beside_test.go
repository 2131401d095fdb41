package db_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// acknowledged are the ids of what was recorded for a person, by kind.
type acknowledged struct {
	mu  sync.Mutex
	ids map[string][]string
}

func (a *acknowledged) add(kind, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[kind] = append(a.ids[kind], id)
}

// before are those until now.
func (a *acknowledged) before() map[string][]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.ids)
}

func TestStore_ErasePerson_besideWriters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	servers := []*db.Store{b.Store, b.another(db.Options{})}
	done := acknowledged{ids: map[string][]string{}}
	ctx, stop := context.WithCancel(context.Background())
	var writers sync.WaitGroup
	defer writers.Wait()
	defer stop()
	for worker := range 6 {
		writers.Go(func() {
			random, server := rand.New(rand.NewPCG(2, uint64(worker))), servers[worker%2]
			for i := 0; ctx.Err() == nil && i < 400; i++ {
				if err := b.writeAs(server, random, fmt.Sprintf("%d-%d", worker, i), &done); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	conn := connect(t, b.dsn)
	for round := range 8 {
		before := done.before()
		// The same request twice at once; and nothing need have told yet that both identifiers are one person's.
		atOnce := make(chan error, 4)
		for i := range cap(atOnce) {
			in := []model.ErasePersonInput{{Email: ptr("ada@shop.example")}, {VisitorID: ptr("browser")}}[i/2]
			e, err := in.Validate()
			require.NoError(t, err)
			go func() {
				_, err := servers[i%2].ErasePerson(context.Background(), b.site, "token", e, now)
				atOnce <- err
			}()
		}
		for range cap(atOnce) {
			require.NoError(t, <-atOnce)
		}
		require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM payments WHERE transaction_id = ANY ($1) AND NOT erased`, before["payment"]), "round %d", round)
		require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM visits WHERE session_id = ANY ($1)`, before["visit"]), "round %d", round)
		require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM events WHERE name = ANY ($1)`, before["event"]), "round %d", round)
	}
	stop()
	writers.Wait()
	paid := int64(len(done.ids["payment"]))
	require.NotZero(t, paid)
	require.Equal(t, paid, value[int64](t, conn, `SELECT count(*) FROM payments`))
	revenue, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{})
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(paid*1000), revenue.Net.MinorString())
	require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM visits t WHERE NOT EXISTS (SELECT FROM visitors v WHERE v.id = t.visitor_id)`), "a visit without its visitor")
	require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM events e WHERE NOT EXISTS (SELECT FROM visitors v WHERE v.id = e.visitor_id)`), "an event without its visitor")
	require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM visitors v WHERE v.visit_count <> (SELECT count(*) FROM visits t WHERE t.visitor_id = v.id)`))

	b.erase(model.ErasePersonInput{Email: ptr("ada@shop.example")})
	b.erase(model.ErasePersonInput{VisitorID: ptr("browser")})
	require.Empty(t, found(t, conn, "ada@shop.example"))
	require.Empty(t, found(t, conn, "browser"))
	require.Equal(t, revenue.Net, b.net())
}

// writeAs records something of a person at random.
func (b *bundle) writeAs(server *db.Store, random *rand.Rand, id string, done *acknowledged) error {
	ctx := context.Background()
	switch random.IntN(4) {
	case 0:
		session := "session-" + id
		v, err := model.RecordVisitInput{VisitorID: "browser", SessionID: &session, URL: "https://shop.example/"}.Validate(b.site, now, nil)
		if err == nil {
			_, err = server.RecordVisit(ctx, b.site, v, now)
		}
		if err == nil {
			done.add("visit", session)
		}
		return err
	case 1:
		name := "event-" + id
		in := model.RecordEventInput{VisitorID: "browser", Type: model.EventCustom, Name: &name, URL: "https://shop.example/"}
		if random.IntN(2) == 0 {
			in = model.RecordEventInput{VisitorID: "browser", Type: model.EventIdentify, UserID: ptr("ada"), Name: &name, URL: "https://shop.example/"}
		}
		e, err := in.Validate(b.site, now)
		if err == nil {
			_, err = server.RecordEvent(ctx, b.site, e, now)
		}
		if err == nil && in.Type == model.EventCustom {
			done.add("event", name)
		}
		return err
	}
	in := charge("payment-" + id)
	in.Email = ptr("ada@shop.example")
	if random.IntN(2) == 0 {
		in.CustomerID = ptr("ada")
	}
	if random.IntN(2) == 0 {
		in.VisitorID = ptr("browser")
	}
	p, err := in.Validate(b.site, now)
	if err == nil {
		_, err = server.RecordPayment(ctx, b.site, &p)
	}
	if err == nil {
		done.add("payment", in.TransactionID)
	}
	return err
}

// lock has whoever writes to a table wait until it is unlocked.
func (b *bundle) lock(table string) (unlock func()) {
	b.t.Helper()
	tx, err := connect(b.t, b.dsn).Begin(b.t.Context())
	require.NoError(b.t, err)
	_, err = tx.Exec(b.t.Context(), "LOCK TABLE "+table+" IN SHARE ROW EXCLUSIVE MODE")
	require.NoError(b.t, err)
	return func() {
		b.t.Helper()
		require.NoError(b.t, tx.Commit(b.t.Context()))
	}
}

// begin does something meanwhile, and returns when so many sessions wait.
func (b *bundle) begin(sessions int, do func()) (wait func()) {
	b.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	waiting(b.t, b.dsn, sessions)
	return func() { <-done }
}

// There is no row to lock of a visitor who was never seen. One who comes during the erasure is new, and whole.
func TestStore_ErasePerson_besideNewVisitor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unlock := b.lock("customers") // which are erased after the visits
	erased := b.begin(1, func() { b.erase(model.ErasePersonInput{VisitorID: ptr("browser")}) })
	b.view("browser")
	unlock()
	erased()
	require.Equal(t, "browser", value[string](t, connect(t, b.dsn), `SELECT string_agg(v.id, ' ') FROM visits t JOIN visitors v ON v.id = t.visitor_id`))
}

// A visitor who comes again during the erasure is new too: nothing of before is left.
func TestStore_ErasePerson_besideVisitor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.happen(model.RecordEventInput{VisitorID: "browser", Type: model.EventIdentify, UserID: ptr("u"), Name: ptr("Lovelace")})
	unlock := b.lock("customers")
	erased := b.begin(1, func() { b.erase(model.ErasePersonInput{VisitorID: ptr("browser")}) })
	seen := b.begin(2, func() { b.view("browser") })
	unlock()
	erased()
	seen()
	conn := connect(t, b.dsn)
	require.Empty(t, found(t, conn, "Lovelace"))
	require.Equal(t, "browser", value[string](t, conn, `SELECT string_agg(v.id, ' ') FROM visits t JOIN visitors v ON v.id = t.visitor_id`))
}

// A refund has found its charge's payer and is not written yet: the erasure comes after it, and takes it too.
func TestStore_ErasePerson_besideRefund(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay(paid("t1", "browser", "", "ada@shop.example"))
	unlock := b.lock("payments")
	refunded := b.begin(1, func() { b.pay(refund("r1", "t1")) })
	erased := b.begin(2, func() { b.erase(model.ErasePersonInput{Email: ptr("ada@shop.example")}) })
	unlock()
	refunded()
	erased()
	conn := connect(t, b.dsn)
	require.Empty(t, found(t, conn, "browser"))
	require.Equal(t, 2, value[int](t, conn, `SELECT count(*)::int FROM payments WHERE erased`))
}

func (b *bundle) net() model.Sum {
	b.t.Helper()
	revenue, err := b.Revenue(b.t.Context(), b.site, model.RevenueQuery{})
	require.NoError(b.t, err)
	return revenue.Net
}

func TestStore_ErasePerson_inSteps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := connect(t, b.dsn)
	var inputs []model.RecordPaymentInput
	for i := range 700 {
		in := paid(fmt.Sprint("t", i), "browser", "", "ada@shop.example")
		if i%2 == 0 {
			in.VisitorID = nil
		}
		inputs = append(inputs, in)
	}
	_, err := b.RecordPayments(t.Context(), b.site, b.batch(inputs...))
	require.NoError(t, err)
	b.view("browser")
	_, err = conn.Exec(t.Context(), `INSERT INTO visits SELECT (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid()))).* FROM visits v, generate_series(1, 600)`)
	require.NoError(t, err)
	before := b.totals(model.Range{})

	// A later step fails, until that is mended: those before it stand, and the audit has them.
	_, err = conn.Exec(t.Context(), `ALTER TABLE erasures ADD CONSTRAINT no_more CHECK (payments < 700)`)
	require.NoError(t, err)
	e, err := model.ErasePersonInput{Email: ptr("ada@shop.example")}.Validate()
	require.NoError(t, err)
	_, err = b.ErasePerson(t.Context(), b.site, "token", e, now)
	require.ErrorContains(t, err, "no_more")
	some := value[int](t, conn, `SELECT payments::int FROM erasures WHERE finished_at IS NULL`)
	require.Positive(t, some)
	require.Equal(t, some, value[int](t, conn, `SELECT count(*)::int FROM payments WHERE erased`))
	require.Equal(t, before, b.totals(model.Range{}), "between two steps too")
	_, err = conn.Exec(t.Context(), `ALTER TABLE erasures DROP CONSTRAINT no_more`)
	require.NoError(t, err)

	did := b.erase(model.ErasePersonInput{VisitorID: ptr("browser")})
	require.Equal(t, model.PersonTraces{Payments: 700 - some, Visits: 601}, did.PersonTraces, "goes on with what the first one had found")
	for _, text := range []string{"ada@", "browser"} {
		require.Empty(t, found(t, conn, text))
	}
	require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM erasures WHERE finished_at IS NULL`))
	require.Equal(t, before, b.totals(model.Range{}))
}
