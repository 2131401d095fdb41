-- What reports read of a range of time without reading the payments and visits themselves.
DROP INDEX payments_occurred_idx;
CREATE INDEX payments_occurred_idx ON payments (website_id, occurred_at, id)
    INCLUDE (kind, visitor_id, currency, amount_minor, reporting_currency, reporting_minor);
CREATE INDEX payments_refund_idx ON payments (website_id, occurred_at, id)
    INCLUDE (kind, visitor_id, charge_id, currency, amount_minor, reporting_currency, reporting_minor) WHERE is_refund;
DROP INDEX visits_started_idx;
CREATE INDEX visits_started_idx ON visits (website_id, started_at, id) INCLUDE (visitor_id, channel, source);

-- An index is enough only where pages are known to hold nothing but rows that everybody sees. By default that is
-- noted when a fifth of a table is new, but what is new is what most reports are about.
ALTER TABLE payments SET (autovacuum_vacuum_insert_scale_factor = 0.01);
ALTER TABLE visits SET (autovacuum_vacuum_insert_scale_factor = 0.01);
