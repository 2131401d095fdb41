package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is the server under test, built once for all tests.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tributary-binary-")
	if err == nil {
		program, err = build(context.Background(), dir, false)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// testRig is a rig for a test.
func testRig(t *testing.T, settings map[string]string) *rig {
	t.Helper()
	r, err := newRig(t.Context(), rigOptions{seed: 1, binary: program, settings: settings})
	require.NoError(t, err)
	t.Cleanup(r.close)
	return r
}

// anew has the rig begin with an empty ledger, and with websites and a report of their own.
func (r *rig) anew(t *testing.T) {
	t.Helper()
	r.exec(t, "TRUNCATE payments, payment_deletions, visits, visitors, customers, events, erasures, rollups, visitor_rollups")
	r.report = &report{}
	require.NoError(t, r.newSites(t.Context()))
}

// exec runs SQL past the servers, and says how many rows it changed.
func (r *rig) exec(t *testing.T, sql string) int64 {
	t.Helper()
	return r.execOn(t, r.database, sql)
}

// working has the writers work until so much was acknowledged, and then settle.
func (r *rig) working(t *testing.T, acknowledged int) {
	t.Helper()
	stop := r.work(t.Context())
	for began := time.Now(); r.report.soFar().acknowledged < acknowledged && time.Since(began) < time.Minute; {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	require.NoError(t, r.settle(t.Context()))
}

// A fault that is planted is found, for what it is; without one, nothing is.
func TestCheck(t *testing.T) {
	t.Parallel()
	r := testRig(t, nil)
	for _, c := range []struct {
		name  string
		plant string // before the writers work
		alter string // after they did; it changes a row
		mend  string
		found []breachKind
	}{
		{name: "nothing", found: nil},
		{
			name: "payments that are recorded twice",
			plant: `ALTER TABLE payments DROP CONSTRAINT payments_website_transaction_key;
				CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
					IF pg_trigger_depth() = 1 AND random() < 0.05 THEN
						INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor, reporting_minor, reporting_currency, occurred_at, recorded_at, basis)
						VALUES (NEW.website_id, gen_random_uuid(), NEW.transaction_id, NEW.kind, NEW.renewal, NEW.charge_id, NEW.currency, NEW.amount_minor, NEW.reporting_minor, NEW.reporting_currency, NEW.occurred_at, NEW.recorded_at, 'NONE');
					END IF; RETURN NULL; END $$;
				CREATE TRIGGER twice AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION twice()`,
			mend:  `DROP FUNCTION twice CASCADE; TRUNCATE payments; ALTER TABLE payments ADD CONSTRAINT payments_website_transaction_key UNIQUE (website_id, transaction_id, is_refund)`,
			found: []breachKind{doubled, wrong},
		},
		{
			name: "no unique constraint, and locks that hold nobody",
			plant: `ALTER TABLE payments DROP CONSTRAINT payments_website_transaction_key;
				CREATE FUNCTION public.pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE sql AS 'SELECT';
				CREATE FUNCTION public.pg_advisory_xact_lock_shared(bigint) RETURNS void LANGUAGE sql AS 'SELECT';
				CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$;
				CREATE TRIGGER linger BEFORE INSERT ON payments EXECUTE FUNCTION linger();
				ALTER ROLE tributary SET search_path = public, pg_catalog; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tributary'`,
			mend: `DROP FUNCTION linger CASCADE; ALTER ROLE tributary RESET search_path; DROP FUNCTION public.pg_advisory_xact_lock(bigint); DROP FUNCTION public.pg_advisory_xact_lock_shared(bigint);
				SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tributary'; TRUNCATE payments;
				ALTER TABLE payments ADD CONSTRAINT payments_website_transaction_key UNIQUE (website_id, transaction_id, is_refund)`,
			found: []breachKind{doubled},
		},
		{
			name: "a delete that does not name the website",
			plant: `CREATE FUNCTION spread() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM payments WHERE transaction_id = OLD.transaction_id; RETURN NULL; END $$;
				CREATE TRIGGER spread AFTER DELETE ON payments FOR EACH ROW EXECUTE FUNCTION spread()`,
			mend:  `DROP FUNCTION spread CASCADE`,
			found: []breachKind{lost},
		},
		{
			name:  "a payment in another website",
			alter: `UPDATE payments SET website_id = (SELECT max(id) FROM websites WHERE id <> website_id), transaction_id = 'x' WHERE id = (SELECT max(id::text)::uuid FROM payments)`,
			found: []breachKind{lost, wrong},
		},
		{
			name:  "an amount that is wrong by a cent",
			alter: `UPDATE payments SET amount_minor = amount_minor + 1 WHERE id = (SELECT max(id::text)::uuid FROM payments WHERE kind = 'CHARGE')`,
			found: []breachKind{wrong},
		},
		{
			name:  "a sum that is wrong by a cent",
			alter: `UPDATE rollups SET reporting_minor = reporting_minor + 1 WHERE ctid = (SELECT max(ctid) FROM rollups WHERE span = 'DAY' AND kind = 'CHARGE')`,
			found: []breachKind{wrong},
		},
		{
			name:  "a visitor's sum that is wrong by a cent",
			alter: `UPDATE visitor_rollups SET gross_minor = gross_minor + 1 WHERE ctid = (SELECT max(ctid) FROM visitor_rollups)`,
			found: []breachKind{wrong},
		},
		{
			name:  "a visitor who is gone",
			alter: `DELETE FROM visits WHERE id = (SELECT max(id::text)::uuid FROM visits)`,
			found: []breachKind{lost},
		},
		{
			name:  "a charge with another's e-mail address",
			alter: `UPDATE payments SET email = 'x@faults.example', email_folded = 'x@faults.example' WHERE id = (SELECT max(id::text)::uuid FROM payments WHERE email IS NOT NULL)`,
			found: []breachKind{wrong},
		},
		{
			name:  "a charge that is not credited to whom its customer is",
			alter: `UPDATE payments SET visitor_id = NULL, basis = 'NONE' WHERE id = (SELECT max(id::text)::uuid FROM payments WHERE basis = 'CUSTOMER_ID')`,
			found: []breachKind{wrong},
		},
		{
			name: "a customer of whom is forgotten who it is",
			alter: `DELETE FROM customers WHERE ctid = (SELECT max(c.ctid) FROM customers c JOIN payments p
				ON p.website_id = c.website_id AND p.customer_id = c.value AND p.email IS NOT NULL)`,
			found: []breachKind{lost},
		},
		{
			name: "an erasure that leaves a customer",
			plant: `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
					INSERT INTO customers (website_id, basis, value, claimed)
						SELECT OLD.website_id, 'CUSTOMER_ID', id, false FROM json_array_elements_text(OLD.person -> 'customer_ids') id LIMIT 1; RETURN NULL; END $$;
				CREATE TRIGGER keep AFTER UPDATE ON erasures FOR EACH ROW WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION keep()`,
			mend:  `DROP FUNCTION keep CASCADE`,
			found: []breachKind{wrong},
		},
		{
			name:  "an audit row that is gone",
			alter: `DELETE FROM payment_deletions WHERE id = (SELECT max(id::text)::uuid FROM payment_deletions WHERE deleted_count > 0)`,
			found: []breachKind{wrong},
		},
	} {
		ok := t.Run(c.name, func(t *testing.T) {
			r.anew(t)
			if c.plant != "" {
				r.exec(t, c.plant)
			}
			r.working(t, 1500)
			if c.alter != "" {
				require.EqualValues(t, 1, r.exec(t, c.alter))
			}
			require.NoError(t, r.check(t.Context()))
			if c.mend != "" {
				r.exec(t, c.mend)
			}
			broken := r.report.broken()
			t.Logf("found: %v", broken)
			for _, kind := range c.found {
				require.NotZero(t, broken[kind], kind)
			}
			if c.found == nil {
				require.Empty(t, broken, r.report.breaches)
			}
		})
		require.True(t, ok) // what comes after would not be alone
	}
}

// What a database loses that acknowledges commits before they are on disk is found.
func TestCheck_asynchronousCommit(t *testing.T) {
	t.Parallel()
	r := testRig(t, map[string]string{"synchronous_commit": "off"})
	const tries = 10
	for try := 1; r.report.broken()[lost] == 0; try++ {
		require.LessOrEqual(t, try, tries, "nothing was lost")
		stop := r.work(t.Context())
		for began, n := time.Now(), r.report.soFar().acknowledged; r.report.soFar().acknowledged < n+500 && time.Since(began) < time.Minute; {
			time.Sleep(time.Millisecond)
		}
		require.NotZero(t, r.cluster.killAll())
		stop()
		require.NoError(t, r.cluster.wait(t.Context()))
		require.NoError(t, r.settle(t.Context()))
		require.NoError(t, r.check(t.Context()))
	}
	t.Logf("acknowledged %d, found: %v", r.report.soFar().acknowledged, r.report.broken())
}
