-- Sums over a website's payments, kept by whoever changes these, in the same transaction. Their spans are
-- those of UTC: so they hold in whichever time zone a website counts its days.
CREATE TABLE rollups (
    website_id         text        NOT NULL COLLATE "C",
    span               text        NOT NULL COLLATE "C",
    starts_at          timestamptz NOT NULL,
    kind               text        NOT NULL COLLATE "C",
    currency           text        NOT NULL COLLATE "C",
    reporting_currency text        NOT NULL COLLATE "C", -- empty when no rate is known
    count              bigint      NOT NULL,
    amount_minor       numeric     NOT NULL, -- numeric, since sums may pass bigint
    reporting_minor    numeric     NOT NULL,
    CONSTRAINT rollups_pkey PRIMARY KEY (website_id, span, starts_at, kind, currency, reporting_currency),
    CONSTRAINT rollups_span_check CHECK (span IN ('HOUR', 'DAY'))
);

-- Whatever the currency of the amounts: while a website's is being changed, the ledger is read instead.
CREATE TABLE visitor_rollups (
    website_id       text        NOT NULL COLLATE "C",
    visitor_id       text        NOT NULL COLLATE "C",
    entries          bigint      NOT NULL,
    payments         bigint      NOT NULL, -- entries that bring money
    gross_minor      numeric     NOT NULL,
    refunded_minor   numeric     NOT NULL,
    net_minor        numeric     NOT NULL GENERATED ALWAYS AS (gross_minor - refunded_minor) STORED,
    first_payment_at timestamptz NOT NULL,
    last_payment_at  timestamptz NOT NULL,
    CONSTRAINT visitor_rollups_pkey PRIMARY KEY (website_id, visitor_id)
);
CREATE INDEX visitor_rollups_net_idx ON visitor_rollups (website_id, net_minor, visitor_id);

-- How far they are: the payments that occurred before a time are in the rollups of spans, and those of visitors up
-- to one, in order of their ids, in those of visitors; null means all. What is recorded already is added up by the
-- server when it starts.
ALTER TABLE websites
    ADD COLUMN rollups_until         timestamptz,
    ADD COLUMN visitor_rollups_until text COLLATE "C";
UPDATE websites SET rollups_until = '1970-01-01Z', visitor_rollups_until = '';
