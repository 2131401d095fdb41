-- What a number becomes: hashint8 scatters it, and the same number always to the same place.
INSERT INTO visits (website_id, id, visitor_id, session_id, started_at, last_seen_at, landing_page, referrer, source, channel,
    utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, device, browser, os, pageviews,
    referrer_host, landing_path)
SELECT :website, md5(:website || 'visit' || n)::uuid, 'v' || v, 's' || n, at, at, 'https://shop.example' || page,
    CASE WHEN source LIKE '%.%' THEN 'https://' || source || '/' END, source, channel,
    CASE WHEN source LIKE '%.%' OR source = 'direct' THEN '' ELSE source END, '', campaign, '', '',
    country, device, browser, os, 1 + n % 3, CASE WHEN source LIKE '%.%' THEN source ELSE '' END, page
FROM (
    SELECT n, (n + abs(hashint8(n)::bigint) % 3 * 31) % :visitors AS v,
        date_trunc('day', now()) - make_interval(secs => abs(hashint8(n + 7)::bigint) % (730 * 86400)) AS at,
        (ARRAY['google.com', 'google.com', 'google.com', 'bing.com', 'x.com', 'reddit.com', 'news.example', 'newsletter',
            'google-ads', 'chatgpt.com', 'direct', 'direct'])[1 + abs(hashint8(n + 1)::bigint) % 12] AS source,
        (ARRAY['ORGANIC_SEARCH', 'ORGANIC_SOCIAL', 'EMAIL', 'DIRECT', 'REFERRAL'])[1 + abs(hashint8(n + 1)::bigint) % 5] AS channel,
        'campaign-' || abs(hashint8(n + 2)::bigint) % 200 AS campaign,
        (ARRAY['/', '/pricing', '/features', '/blog/one', '/blog/two'])[1 + abs(hashint8(n + 3)::bigint) % 5] AS page,
        (ARRAY['US', 'DE', 'FR', 'GB', 'IN', 'BR', 'JP', 'ES', 'IT', 'NL'])[1 + abs(hashint8(n + 4)::bigint) % 10] AS country,
        (ARRAY['desktop', 'mobile', 'mobile', 'tablet'])[1 + abs(hashint8(n + 5)::bigint) % 4] AS device,
        (ARRAY['Chrome', 'Safari', 'Firefox', 'Edge'])[1 + abs(hashint8(n + 6)::bigint) % 4] AS browser,
        (ARRAY['Windows', 'macOS', 'iOS', 'Android', 'Linux'])[1 + abs(hashint8(n + 8)::bigint) % 5] AS os
    FROM generate_series(0::bigint, :visitors * 3 / 2) AS n
) AS visit;

INSERT INTO visitors (website_id, id, first_seen_at, last_seen_at, visit_count)
SELECT website_id, visitor_id, min(started_at), max(last_seen_at), count(*) FROM visits WHERE website_id = :website GROUP BY 1, 2;

-- Every fiftieth payment is refunded in part, every seventh is a renewal. Most come soon after a visit of theirs.
INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, refund_of, currency, amount_minor, reporting_minor, reporting_currency,
    occurred_at, recorded_at, visitor_id, basis)
SELECT :website, md5(:website || 'payment' || n)::uuid, 'p' || n,
    CASE WHEN n % 50 = 49 THEN 'REFUND' WHEN n % 7 = 0 THEN 'RENEWAL' ELSE 'CHARGE' END, n % 7 = 0,
    'p' || CASE WHEN n % 50 = 49 THEN n - 1 ELSE n END, CASE WHEN n % 50 = 49 THEN 'p' || n - 1 END, 'USD', amount, amount, 'USD',
    at, at, 'v' || v, CASE WHEN n % 50 = 49 THEN 'REFUNDED_PAYMENT' ELSE 'VISITOR_ID' END
FROM (
    SELECT n, CASE WHEN n % 50 = 49 THEN 500 ELSE 900 + abs(hashint8(n + 11)::bigint) % 20000 END AS amount,
        abs(hashint8(n - CASE WHEN n % 50 = 49 THEN 1 ELSE 0 END)::bigint) % :visitors AS v,
        date_trunc('day', now()) - make_interval(secs => abs(hashint8(n + 12)::bigint) % (730 * 86400)) AS at
    FROM generate_series(0::bigint, :payments - 1) AS n
) AS payment;
