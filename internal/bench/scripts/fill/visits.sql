INSERT INTO visits (website_id, id, visitor_id, session_id, started_at, last_seen_at, landing_page, referrer, source, channel,
    utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, device, browser, os, pageviews, referrer_host, landing_path)
SELECT @website, md5(@website || 'visit' || n)::uuid, pg_temp.visitor_of(n), 's' || n, at, at, 'https://shop.example' || page,
    CASE WHEN source LIKE '%.%' THEN 'https://' || source || '/' END, source, channel,
    CASE WHEN source LIKE '%.%' OR source = 'direct' THEN '' ELSE source END, '', campaign, '', '',
    country, device, browser, os, 1 + n % 3, CASE WHEN source LIKE '%.%' THEN source ELSE '' END, page
FROM (
    SELECT n, pg_temp.moment(n, @visits) AS at,
        (ARRAY['google.com', 'google.com', 'google.com', 'bing.com', 'x.com', 'reddit.com', 'news.example', 'newsletter',
            'google-ads', 'chatgpt.com', 'direct', 'direct'])[1 + pg_temp.pick(n + 1, 12)] AS source,
        (ARRAY['ORGANIC_SEARCH', 'ORGANIC_SOCIAL', 'EMAIL', 'DIRECT', 'REFERRAL'])[1 + pg_temp.pick(n + 1, 5)] AS channel,
        'campaign-' || pg_temp.pick(n + 2, 200) AS campaign,
        (ARRAY['/', '/pricing', '/features', '/blog/one', '/blog/two'])[1 + pg_temp.pick(n + 3, 5)] AS page,
        (ARRAY['US', 'DE', 'FR', 'GB', 'IN', 'BR', 'JP', 'ES', 'IT', 'NL'])[1 + pg_temp.pick(n + 4, 10)] AS country,
        (ARRAY['desktop', 'mobile', 'mobile', 'tablet'])[1 + pg_temp.pick(n + 5, 4)] AS device,
        (ARRAY['Chrome', 'Safari', 'Firefox', 'Edge'])[1 + pg_temp.pick(n + 6, 4)] AS browser,
        (ARRAY['Windows', 'macOS', 'iOS', 'Android', 'Linux'])[1 + pg_temp.pick(n + 8, 5)] AS os
    FROM generate_series(0, @visits::bigint - 1) AS n
) AS visit;
