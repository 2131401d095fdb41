-- Rates belong to no website: like accounts they are a reference table. The euro's own, 1, is not kept.
CREATE TABLE rates (
    date        date        NOT NULL,
    currency    text        COLLATE "C" NOT NULL,
    per_euro    numeric     NOT NULL, -- units of the currency for one euro, as published
    source      text        NOT NULL,
    imported_at timestamptz NOT NULL,
    CONSTRAINT rates_pkey PRIMARY KEY (date, currency),
    CONSTRAINT rates_per_euro_check CHECK (per_euro > 0)
);

-- A server of the version before, which goes on recording while this one starts, leaves these null: what
-- it records in the website's currency counts all the same, and everything else waits.
ALTER TABLE payments
    ADD COLUMN reporting_currency text    COLLATE "C", -- of reporting_minor; null while it waits
    ADD COLUMN rate_date          date,                -- null when it was paid in reporting_currency
    ADD COLUMN rate_source        text,
    ADD COLUMN paid_per_euro      numeric,             -- both as they were published for that date
    ADD COLUMN reporting_per_euro numeric;

UPDATE payments SET reporting_currency = currency WHERE reporting_minor IS NOT NULL;

-- The payments that wait: those of the website's own currency do so only if the version before wrote them.
CREATE INDEX payments_waiting_idx ON payments (website_id, occurred_at, id) WHERE reporting_currency IS NULL;

-- How often the currency was changed, and up to which change all payments have been converted.
ALTER TABLE websites
    ADD COLUMN currency_version  integer NOT NULL DEFAULT 0,
    ADD COLUMN converted_version integer NOT NULL DEFAULT 0;
