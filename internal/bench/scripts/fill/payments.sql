-- Those from one number up to another. Each is of somebody whose visit was not long ago. Every seventh is a
-- renewal, and every fiftieth a refund of a part of the one before.
INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, refund_of, currency, amount_minor, reporting_minor, reporting_currency,
    occurred_at, recorded_at, visitor_id, basis)
SELECT @website, md5(@website || 'payment' || n)::uuid, 'p' || n,
    CASE WHEN refund THEN 'REFUND' WHEN n % 7 = 0 THEN 'RENEWAL' ELSE 'CHARGE' END, n % 7 = 0 AND NOT refund,
    'p' || charge, CASE WHEN refund THEN 'p' || charge END, 'USD', amount, amount, 'USD', at, at,
    pg_temp.visitor_of(greatest(charge * @visits / @payments - 1 - pg_temp.pick(charge, 20), 0)),
    CASE WHEN refund THEN 'REFUNDED_PAYMENT' ELSE 'VISITOR_ID' END
FROM (
    SELECT n, n % 50 = 49 AS refund, n - (n % 50 = 49)::int AS charge, pg_temp.moment(n, @payments) AS at,
        CASE WHEN n % 50 = 49 THEN 500 ELSE 900 + pg_temp.pick(n + 11, 20000) END AS amount
    FROM generate_series(@from::bigint, @to::bigint - 1) AS n
) AS payment;
