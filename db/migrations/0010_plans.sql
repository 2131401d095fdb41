-- What connections keep is planned without knowing the website. Where most websites have a few payments, Postgres would
-- expect of any no more than that, and read all refunds of one that has thousands to find those of a charge. So it is told
-- that a website may have a tenth of all payments. Citus refuses to be told: docs/SCALE.md has how to tell its shards.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
        ALTER TABLE payments ALTER website_id SET (n_distinct = 10);
        ANALYZE payments (website_id);
    END IF;
END
$$;
