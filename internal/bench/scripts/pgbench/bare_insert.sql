-- One payment a transaction, and nothing else.
\set n random(1, 9000000000000000000)
\set v random(0, 999999)
INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor, reporting_minor, reporting_currency,
    occurred_at, recorded_at, visitor_id, basis)
VALUES (:website, gen_random_uuid(), 'bare-' || :n, 'CHARGE', false, 'bare-' || :n, 'USD', 2999, 2999, 'USD', now(), now(), 'v' || :v, 'VISITOR_ID')
ON CONFLICT DO NOTHING;
