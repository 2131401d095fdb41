-- What reports read of a range of time without reading the payments and visits themselves.
DROP INDEX payments_occurred_idx;
CREATE INDEX payments_occurred_idx ON payments (website_id, occurred_at, id)
    INCLUDE (kind, visitor_id, currency, amount_minor, reporting_currency, reporting_minor);
CREATE INDEX payments_refund_idx ON payments (website_id, occurred_at, id)
    INCLUDE (kind, visitor_id, charge_id, currency, amount_minor, reporting_currency, reporting_minor) WHERE is_refund;
DROP INDEX visits_started_idx;
CREATE INDEX visits_started_idx ON visits (website_id, started_at, id) INCLUDE (visitor_id, channel, source);
