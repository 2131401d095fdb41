-- One payment a transaction, with the rollups that Tributary keeps. It is one statement, which holds the rollups'
-- locks for less long than several do; the rollups that all payments share come last.
\set n random(1, 9000000000000000000)
\set v random(0, 999999)
WITH payment AS (
    INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor, reporting_minor, reporting_currency,
        occurred_at, recorded_at, visitor_id, basis)
    VALUES (:website, gen_random_uuid(), 'same-' || :n, 'CHARGE', false, 'same-' || :n, 'USD', 2999, 2999, 'USD', now(), now(), 'v' || :v, 'VISITOR_ID')
    ON CONFLICT DO NOTHING
    RETURNING *
), visitor AS (
    INSERT INTO visitor_rollups AS t (website_id, visitor_id, entries, payments, gross_minor, refunded_minor, first_payment_at, last_payment_at)
    SELECT website_id, visitor_id, 1, 1, reporting_minor, 0, occurred_at, occurred_at FROM payment
    ON CONFLICT ON CONSTRAINT visitor_rollups_pkey DO UPDATE SET entries = t.entries + EXCLUDED.entries, payments = t.payments + EXCLUDED.payments,
        gross_minor = t.gross_minor + EXCLUDED.gross_minor, refunded_minor = t.refunded_minor + EXCLUDED.refunded_minor,
        first_payment_at = least(t.first_payment_at, EXCLUDED.first_payment_at), last_payment_at = greatest(t.last_payment_at, EXCLUDED.last_payment_at)
    RETURNING 1
)
INSERT INTO rollups AS t (website_id, span, starts_at, kind, currency, reporting_currency, count, amount_minor, reporting_minor)
SELECT p.website_id, s.span, date_trunc(s.unit, p.occurred_at, 'UTC'), p.kind, p.currency, p.reporting_currency, 1, p.amount_minor, p.reporting_minor
FROM payment p, visitor, (VALUES ('DAY', 'day'), ('HOUR', 'hour')) AS s (span, unit)
ON CONFLICT ON CONSTRAINT rollups_pkey DO UPDATE SET count = t.count + EXCLUDED.count,
    amount_minor = t.amount_minor + EXCLUDED.amount_minor, reporting_minor = t.reporting_minor + EXCLUDED.reporting_minor;
