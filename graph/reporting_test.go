package graph_test

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/model"
)

func (b *bundle) report(in model.Currency) {
	b.t.Helper()
	require.NoError(b.t, b.store.SetCurrency(context.Background(), b.site.ID, in))
}

// sums are the gross revenue in the reporting currency, and what is not in it.
func (b *bundle) sums() string {
	b.t.Helper()
	revenue := node{b.ask(`{ revenue { gross { amount currency } unconverted { amount currency } } }`, nil).at("revenue")}
	return fmt.Sprint(revenue.at("gross.amount"), " ", revenue.at("gross.currency"), " ", texts(revenue, "unconverted"))
}

// hold takes locks by a statement, until release is called.
func (b *bundle) hold(statement string) (release func()) {
	b.t.Helper()
	conn, err := pgx.Connect(context.Background(), b.dsn)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	holder, err := conn.Begin(context.Background())
	require.NoError(b.t, err)
	_, err = holder.Exec(context.Background(), statement)
	require.NoError(b.t, err)
	return func() { require.NoError(b.t, holder.Rollback(context.Background())) }
}

// seed inserts n charges of 1 to 9 units of each of the currencies, a minute apart, without saying what they
// were converted to.
func (b *bundle) seed(n int, currencies ...string) {
	b.t.Helper()
	conn, err := pgx.Connect(context.Background(), b.dsn)
	require.NoError(b.t, err)
	defer conn.Close(context.Background())
	for _, c := range currencies {
		_, err = conn.Exec(context.Background(), `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor,
				reporting_minor, occurred_at, recorded_at, basis)
			SELECT $1, gen_random_uuid(), $2 || i, 'CHARGE', false, $2 || i, $2, 100 * (1 + i % 9), CASE WHEN $2 = $5 THEN 100 * (1 + i % 9) END,
				$4::timestamptz - i * interval '1 minute', $4, 'NONE' FROM generate_series(1, $3::int) i`, b.site.ID, c, n, today, string(b.site.Currency))
		require.NoError(b.t, err)
	}
	b.rebuild()
}

// rebuild adds up what was written to the ledger by a statement.
func (b *bundle) rebuild() {
	b.t.Helper()
	require.NoError(b.t, b.store.RebuildRollups(context.Background(), b.site.ID, nil))
}

func TestReportingCurrency(t *testing.T) {
	t.Parallel()
	rates := map[model.Currency]model.Decimal{"USD": "1.25", "GBP": "0.80", "JPY": "160"}

	t.Run("change converts history", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-19", rates)
		b.imports("2026-05-20", map[model.Currency]model.Decimal{"USD": "1.50", "JPY": "150"})
		b.pay("usd", nil)
		b.pay("eur", vars{"currency": "EUR"})
		b.pay("jpy", vars{"currency": "JPY", "amount": "150"})
		b.pay("gbp", vars{"currency": "GBP"})
		b.pay("sek", vars{"currency": "SEK"})
		require.Equal(t, "42.12 USD [SEK 10.00]", b.sums()) // 10 + 15 + 1.50 + 15.625

		b.report("EUR")
		require.Equal(t, "10.00 EUR [GBP 10.00 JPY 150 SEK 10.00 USD 10.00]", b.sums(), "nothing counts by what it was worth in another currency")
		require.Equal(t, []string{"", "10.00 EUR"}, []string{b.worth("usd"), b.worth("eur")})
		require.Equal(t, 4, b.convert())
		require.Equal(t, "30.17 EUR [SEK 10.00]", b.sums()) // 6.67 + 10 + 1 + 12.50
		require.Equal(t, []string{"6.67 EUR of 2026-05-20", "10.00 EUR", "12.50 EUR of 2026-05-19", ""},
			[]string{b.worth("usd"), b.worth("eur"), b.worth("gbp"), b.worth("sek")})

		b.report("EUR")
		require.Zero(t, b.convert(), "it is the same")
		b.report("SEK")
		require.Equal(t, 1, b.convert())
		require.Equal(t, "10.00 SEK [EUR 10.00 GBP 10.00 JPY 150 USD 10.00]", b.sums())
		b.imports("2026-05-18", map[model.Currency]model.Decimal{"SEK": "10", "USD": "1.25"})
		require.Equal(t, 2, b.convert(), "those that have rates")
		b.report("USD")
		b.convert()
		require.Equal(t, "43.37 USD []", b.sums(), "it is as it was, and there is a rate of SEK") // + 1.25
	})

	t.Run("change that is interrupted goes on", func(t *testing.T) {
		t.Parallel()
		for _, steps := range []int{1, 2, 4} {
			b := setup(t)
			b.imports("2026-05-20", rates)
			b.imports("2026-05-15", rates)
			b.seed(1600, "USD", "GBP", "SEK")
			require.Equal(t, 1600+1600, b.convert())
			before := b.sums()
			b.report("EUR")

			ctx, kill := context.WithCancel(t.Context())
			_, err := b.store.ConvertPayments(ctx, b.site.ID, func(p model.ConversionProgress) {
				if p.Payments == steps*1000 {
					kill()
				}
			})
			require.Error(t, err)
			converted := sql[int](b, `SELECT count(*)::int FROM payments WHERE reporting_currency = 'EUR'`)
			require.InDelta(t, steps*1000*2/3, converted, 2, "each step stands")
			require.Equal(t, sql[string](b, `SELECT round(coalesce(sum(reporting_minor), 0) / 100, 2)::text FROM payments WHERE reporting_currency = 'EUR'`)+
				" EUR "+sql[string](b, `SELECT '[' || string_agg(c || ' ' || n, ' ' ORDER BY c) || ']' FROM (SELECT currency, round(sum(amount_minor) / 100, 2)::text
					FROM payments WHERE reporting_currency IS DISTINCT FROM 'EUR' GROUP BY 1) AS x (c, n)`), b.sums())

			require.Equal(t, 3200-converted, b.convert())
			require.Zero(t, b.convert())
			require.Regexp(t, `EUR \[SEK \d+\.00\]$`, b.sums())
			require.Equal(t, 0, sql[int](b, `SELECT count(*)::int FROM websites WHERE currency_version <> converted_version`))
			b.report("USD")
			require.Equal(t, 3200, b.convert())
			require.Equal(t, before, b.sums())
		}
	})

	t.Run("conversion begins again when there is another change", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-20", rates)
		b.imports("2026-05-18", rates)
		b.seed(2500, "USD")
		b.report("EUR")
		changed := false
		n, err := b.store.ConvertPayments(t.Context(), b.site.ID, func(model.ConversionProgress) {
			if !changed {
				changed = true
				b.report("GBP")
			}
		})
		require.NoError(t, err)
		require.Equal(t, 1000+2500, n)
		require.Equal(t, 2500, sql[int](b, `SELECT count(*)::int FROM payments WHERE reporting_currency = 'GBP'`))
	})

	t.Run("payment of a request from before the change is in the new one", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-20", rates)
		stale := b.site
		b.report("EUR")
		for _, in := range []model.RecordPaymentInput{
			{TransactionID: "t1", Amount: "10"}, {TransactionID: "t2", Amount: "10", Currency: "EUR"}, {TransactionID: "t3", Amount: "10", Currency: "GBP"},
		} {
			p, err := in.Validate(stale, today)
			require.NoError(t, err)
			_, err = b.store.RecordPayment(t.Context(), stale, &p)
			require.NoError(t, err)
		}
		require.Equal(t, []string{"8.00 EUR of 2026-05-20", "10.00 EUR", "12.50 EUR of 2026-05-20"}, []string{b.worth("t1"), b.worth("t2"), b.worth("t3")})
	})

	t.Run("change waits for those who record", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t0", vars{"customerId": "c"})
		release := b.hold(`SELECT FROM customers FOR UPDATE`)
		var wait sync.WaitGroup
		wait.Go(func() { b.pay("t1", vars{"customerId": "c"}) })
		b.waiting(1)
		wait.Go(func() { b.report("EUR") })
		b.waiting(2)
		require.Equal(t, "USD", sql[string](b, `SELECT currency FROM websites`))
		release()
		wait.Wait()
		b.imports("2026-05-20", rates)
		require.Equal(t, 2, b.convert())
		require.Equal(t, "16.00 EUR []", b.sums())
	})

	t.Run("import sees those who record", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t0", vars{"customerId": "c"})
		// The payment has found no rate, and waits to be inserted.
		release := b.hold(`LOCK TABLE payments IN SHARE MODE`)
		var wait sync.WaitGroup
		wait.Go(func() { b.pay("t1", vars{"currency": "EUR"}) })
		b.waiting(1)
		b.imports("2026-05-20", rates)
		wait.Go(func() { b.convert() })
		b.waiting(2)
		release()
		wait.Wait()
		require.Equal(t, "12.50 USD of 2026-05-20", b.worth("t1"))
	})

	t.Run("payment that another has converted meanwhile keeps its rate", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-20", rates)
		b.seed(1, "EUR")
		b.seed(1000, "GBP") // the first step, before the other is moved to the end
		conn, err := pgx.Connect(t.Context(), b.dsn)
		require.NoError(t, err)
		defer conn.Close(context.Background())
		_, err = conn.Exec(t.Context(), `UPDATE payments SET occurred_at = $1 WHERE transaction_id = 'EUR1'`, today)
		require.NoError(t, err)
		b.rebuild()
		holder, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = holder.Exec(t.Context(), `SELECT FROM payments WHERE transaction_id = 'EUR1' FOR UPDATE`)
		require.NoError(t, err)
		var wait sync.WaitGroup
		_, err = b.store.ConvertPayments(t.Context(), b.site.ID, func(p model.ConversionProgress) {
			if p.Payments != 1000 {
				return
			}
			wait.Go(func() { b.convert() })
			b.waiting(1)
			b.imports("2026-05-20", map[model.Currency]model.Decimal{"USD": "2"})
			wait.Go(func() {
				b.waiting(2)
				_ = holder.Rollback(context.Background())
			})
		})
		require.NoError(t, err)
		wait.Wait()
		require.Equal(t, "2.50 USD of 2026-05-20", b.worth("EUR1"))
	})

	t.Run("what was paid in the website's currency counts before that is noted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.seed(9, "USD", "EUR")
		require.Equal(t, "45.00 USD [EUR 45.00]", b.sums())
		require.Equal(t, "2.00 USD", b.worth("USD1"))
		b.imports("2026-05-20", rates)
		require.Equal(t, 18, b.convert())
		require.Equal(t, "101.25 USD []", b.sums())
	})

	t.Run("totals hold while writers, changes and conversions go on", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-20", rates)
		b.imports("2026-05-18", rates)
		b.seed(3000, "JPY")
		done := make(chan struct{})
		var work, writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := range 40 {
					b.pay(fmt.Sprint("w", w, "-", i), vars{"currency": []string{"USD", "EUR", "GBP", "JPY"}[i%4], "amount": "80"})
				}
			})
		}
		for range 2 {
			work.Go(func() {
				for open := true; open; {
					select {
					case <-done:
						open = false
					default:
					}
					b.convert()
				}
			})
		}
		for i := range 9 {
			b.report([]model.Currency{"EUR", "GBP", "USD"}[i%3])
		}
		writers.Wait()
		b.report("EUR")
		close(done)
		work.Wait()
		b.convert()
		// Of each currency 40 × 80, and 3000 JPY payments of 100 to 900.
		require.Equal(t, 0, sql[int](b, `SELECT count(*)::int FROM payments WHERE reporting_currency IS DISTINCT FROM 'EUR'`))
		seeded := new(big.Rat)
		for i := 1; i <= 3000; i++ {
			seeded.Add(seeded, big.NewRat(int64(100*(1+i%9)), 160))
		}
		total := seeded.Add(seeded, new(big.Rat).Add(big.NewRat(3200*4, 5), new(big.Rat).Add(big.NewRat(3200, 1), new(big.Rat).Add(big.NewRat(4000, 1), big.NewRat(3200, 160)))))
		gross := rat(t, b.ask(`{ revenue { gross { amount } } }`, nil).at("revenue.gross.amount"))
		off := new(big.Rat).Sub(gross, total)
		require.LessOrEqual(t, off.Abs(off).Cmp(big.NewRat(3000, 200)), 0, "%s is not %s but for rounding", gross.FloatString(2), total.FloatString(2))
	})
}

// waiting waits until so many of the database's sessions wait for a lock.
func (b *bundle) waiting(sessions int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		return sql[int](b, `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == sessions
	}, 20*time.Second, 5*time.Millisecond)
}
