-- Two years of :small websites, and of :largest, which has half of all rows. Rows come in the order of time, as they
-- are recorded, and whatever names one of them begins with the website's id, as if it were of no other.
INSERT INTO accounts (id, name, created_at) VALUES (:account, 'ledger', :noon);

CREATE TEMP TABLE site AS
SELECT CASE WHEN n = 0 THEN :largest ELSE lpad(to_hex(n), 24, '0') END AS id, n FROM generate_series(0, :small) AS n;

INSERT INTO websites (id, account_id, tracking_id, domain, name, timezone, currency, created_at)
SELECT id, :account, 'dfid_' || right(id, 12), 'shop-' || n || '.example', 'Shop', 'UTC', 'USD', :noon FROM site;

-- The n-th of rows: every second one is of the big website. k is its number among those of its website.
CREATE FUNCTION pg_temp.numbered(total bigint) RETURNS TABLE (n bigint, website text, k bigint, at timestamptz) LANGUAGE sql AS $$
    SELECT i, site.id, i / CASE WHEN i % 2 = 0 THEN 2 ELSE 2 * :small END,
        :noon - make_interval(secs => 730 * 86400 * (1 - i::double precision / total))
    FROM generate_series(0::bigint, total - 1) AS i JOIN site ON site.n = CASE WHEN i % 2 = 0 THEN 0 ELSE 1 + i / 2 % :small END
    ORDER BY i
$$;

-- Of four visitors, each has two visits.
INSERT INTO visits (website_id, id, visitor_id, session_id, started_at, last_seen_at, landing_page, referrer, source, channel,
    utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, device, browser, os, pageviews, referrer_host, landing_path)
SELECT website, md5(website || 'visit' || k)::uuid, website || '-v' || k / 8 * 4 + k % 4, website || '-s' || k, at, at,
    'https://shop.example/' || k % 50, 'https://' || source || '/', source, (ARRAY['ORGANIC_SEARCH', 'REFERRAL', 'EMAIL', 'DIRECT'])[1 + k % 4],
    source, '', 'campaign-' || k % 40, '', '', (ARRAY['US', 'DE', 'FR'])[1 + k % 3], 'mobile', 'Firefox', 'Android', 1, source, '/' || k % 50
FROM (SELECT *, 'source-' || k % 20 AS source FROM pg_temp.numbered(:visits)) AS visit ORDER BY n;

INSERT INTO visitors (website_id, id, first_seen_at, last_seen_at, visit_count, user_id)
SELECT website_id, visitor_id, min(started_at), max(last_seen_at), count(*), 'user of ' || visitor_id FROM visits GROUP BY 1, 2 ORDER BY 3;

-- Every fiftieth payment is a refund of the one before, every thirtieth is in a currency without a rate. A third
-- has a customer id, a third an e-mail.
INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, refund_of, currency, amount_minor, reporting_minor,
    reporting_currency, occurred_at, recorded_at, visitor_id, basis, customer_id, email, email_folded)
SELECT website, md5(website || 'payment' || k)::uuid, website || '-p' || k, CASE WHEN refund THEN 'REFUND' WHEN k % 7 = 0 THEN 'RENEWAL' ELSE 'CHARGE' END,
    k % 7 = 0, website || '-p' || CASE WHEN refund THEN k - 1 ELSE k END, CASE WHEN refund THEN website || '-p' || k - 1 END,
    CASE WHEN k % 30 = 29 THEN 'THB' ELSE 'USD' END, 1000 + k % 100, CASE WHEN k % 30 <> 29 THEN 1000 + k % 100 END,
    CASE WHEN k % 30 <> 29 THEN 'USD' END, at, at, CASE WHEN known THEN website || '-v' || k / 3 END, CASE WHEN known THEN 'VISITOR_ID' ELSE 'NONE' END,
    CASE WHEN k % 3 = 0 THEN website || '-c' || k / 6 END, CASE WHEN k % 3 = 1 THEN mail END, CASE WHEN k % 3 = 1 THEN mail END
FROM (SELECT *, k % 50 = 49 AS refund, k % 11 > 0 AS known, website || '-' || k / 6 || '@example.com' AS mail FROM pg_temp.numbered(:payments)) AS payment
ORDER BY n;

INSERT INTO customers (website_id, basis, value, visitor_id, claimant)
SELECT website_id, 'CUSTOMER_ID', customer_id, max(visitor_id), max(visitor_id) FROM payments WHERE customer_id IS NOT NULL GROUP BY 1, 3
UNION ALL
SELECT website_id, 'EMAIL', email_folded, max(visitor_id), max(visitor_id) FROM payments WHERE email_folded IS NOT NULL GROUP BY 1, 3;

INSERT INTO events (website_id, id, visitor_id, type, name, page, occurred_at)
SELECT website, md5(website || 'event' || k)::uuid, website || '-v' || k, 'CUSTOM', 'signup', 'https://shop.example/', at
FROM pg_temp.numbered(:payments / 2) ORDER BY n;

INSERT INTO payment_deletions (website_id, id, token_id, visitor_id, deleted_count, deleted_at)
SELECT website, md5(website || 'deletion' || k)::uuid, 'token', website || '-x' || k, 1, at FROM pg_temp.numbered(:payments / 2) ORDER BY n;

INSERT INTO erasures (website_id, id, token_id, begun_at, finished_at)
SELECT website, md5(website || 'erasure' || k)::uuid, 'token', at, at FROM pg_temp.numbered(:payments / 2) ORDER BY n;

INSERT INTO rollups (website_id, span, starts_at, kind, currency, reporting_currency, count, amount_minor, reporting_minor)
SELECT website_id, upper(unit), date_trunc(unit, occurred_at, 'UTC'), kind, currency, coalesce(reporting_currency, ''),
    count(*), sum(amount_minor), coalesce(sum(reporting_minor), 0)
FROM payments CROSS JOIN (VALUES ('day'), ('hour')) AS span (unit) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 3;

INSERT INTO visitor_rollups (website_id, visitor_id, entries, payments, gross_minor, refunded_minor, first_payment_at, last_payment_at)
SELECT website_id, visitor_id, count(*), count(*) FILTER (WHERE kind <> 'REFUND'), coalesce(sum(reporting_minor) FILTER (WHERE kind <> 'REFUND'), 0),
    coalesce(sum(reporting_minor) FILTER (WHERE kind = 'REFUND'), 0), min(occurred_at), max(occurred_at)
FROM payments WHERE visitor_id IS NOT NULL GROUP BY 1, 2 ORDER BY 7;

-- What one column wants decides how many rows are looked at: all of them, so that plans do not depend on which. These
-- have few values, and make no plan slower.
ALTER TABLE visits ALTER viewed SET STATISTICS 1000;
ALTER TABLE visitors ALTER image SET STATISTICS 1000;
ALTER TABLE payments ALTER name SET STATISTICS 1000;
ALTER TABLE customers ALTER claimed SET STATISTICS 1000;
ALTER TABLE events ALTER link SET STATISTICS 1000;
ALTER TABLE payment_deletions ALTER transaction_id SET STATISTICS 1000;
ALTER TABLE erasures ALTER token_id SET STATISTICS 1000;
ALTER TABLE rollups ALTER span SET STATISTICS 1000;
ALTER TABLE visitor_rollups ALTER entries SET STATISTICS 1000;
