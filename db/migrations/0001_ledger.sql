-- Accounts, websites and tokens are small and looked up by many keys: on a distributed database they
-- are reference tables. All other tables hold one website's data and are keyed by website_id first.

CREATE TABLE accounts (
    id          text        COLLATE "C" NOT NULL,
    name        text        NOT NULL,
    event_limit bigint      NOT NULL DEFAULT 0, -- recorded events a month; 0 means no limit
    created_at  timestamptz NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_event_limit_check CHECK (event_limit >= 0)
);

CREATE TABLE account_usage (
    account_id text   COLLATE "C" NOT NULL REFERENCES accounts (id),
    month      date   NOT NULL, -- its first day, in UTC
    events     bigint NOT NULL,
    CONSTRAINT account_usage_pkey PRIMARY KEY (account_id, month)
);

CREATE TABLE websites (
    id          text        COLLATE "C" NOT NULL,
    account_id  text        COLLATE "C" NOT NULL REFERENCES accounts (id),
    tracking_id text        COLLATE "C" NOT NULL,
    domain      text        NOT NULL,
    name        text        NOT NULL,
    timezone    text        NOT NULL,
    currency    text        COLLATE "C" NOT NULL,
    suspended   boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL,
    CONSTRAINT websites_pkey PRIMARY KEY (id),
    CONSTRAINT websites_tracking_id_key UNIQUE (tracking_id)
);
CREATE INDEX websites_account_idx ON websites (account_id, created_at, id);

CREATE TABLE tokens (
    id           text        COLLATE "C" NOT NULL,
    hash         bytea       NOT NULL, -- SHA-256 of the token, which itself is not kept
    prefix       text        COLLATE "C" NOT NULL, -- df_ or dft_
    last_four    text        COLLATE "C" NOT NULL,
    name         text        NOT NULL,
    account_id   text        COLLATE "C" NOT NULL REFERENCES accounts (id),
    website_id   text        COLLATE "C" REFERENCES websites (id), -- of a website key
    scopes       text[]      COLLATE "C" NOT NULL, -- of an account token
    website_ids  text[]      COLLATE "C" NOT NULL, -- that limit an account token; empty means all
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT tokens_pkey PRIMARY KEY (id),
    CONSTRAINT tokens_hash_key UNIQUE (hash)
);
CREATE INDEX tokens_website_idx ON tokens (website_id, created_at);
CREATE INDEX tokens_account_idx ON tokens (account_id, created_at);

CREATE TABLE visitors (
    website_id    text        COLLATE "C" NOT NULL,
    id            text        COLLATE "C" NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    visit_count   bigint      NOT NULL,
    CONSTRAINT visitors_pkey PRIMARY KEY (website_id, id)
);

CREATE TABLE visits (
    website_id   text        COLLATE "C" NOT NULL,
    id           uuid        NOT NULL,
    visitor_id   text        COLLATE "C" NOT NULL,
    session_id   text        COLLATE "C",
    started_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    landing_page text        NOT NULL,
    referrer     text,
    source       text        COLLATE "C" NOT NULL,
    utm_source   text        NOT NULL,
    utm_medium   text        NOT NULL,
    utm_campaign text        NOT NULL,
    utm_term     text        NOT NULL,
    utm_content  text        NOT NULL,
    country      text        COLLATE "C",
    device       text,
    browser      text,
    os           text,
    pageviews    bigint      NOT NULL,
    CONSTRAINT visits_pkey PRIMARY KEY (website_id, id)
);
CREATE UNIQUE INDEX visits_website_session_key ON visits (website_id, visitor_id, session_id);
CREATE INDEX visits_visitor_idx ON visits (website_id, visitor_id, started_at, id);

-- A customer is locked by its row while payments that carry it are recorded.
CREATE TABLE customers (
    website_id text NOT NULL COLLATE "C",
    basis      text NOT NULL COLLATE "C", -- CUSTOMER_ID or EMAIL
    value      text NOT NULL COLLATE "C", -- the customer id, or the folded e-mail address
    visitor_id text COLLATE "C",
    CONSTRAINT customers_pkey PRIMARY KEY (website_id, basis, value),
    CONSTRAINT customers_basis_check CHECK (basis IN ('CUSTOMER_ID', 'EMAIL'))
);

CREATE TABLE payments (
    website_id      text        NOT NULL COLLATE "C",
    id              uuid        NOT NULL,
    transaction_id  text        NOT NULL COLLATE "C",
    kind            text        NOT NULL COLLATE "C",
    renewal         boolean     NOT NULL,
    is_refund       boolean     NOT NULL GENERATED ALWAYS AS (kind = 'REFUND') STORED,
    charge_id       text        NOT NULL COLLATE "C", -- the transaction id of the charge that a refund takes back; of a charge itself
    refund_of       text        COLLATE "C", -- as sent
    currency        text        NOT NULL COLLATE "C",
    amount_minor    bigint      NOT NULL, -- minor units of currency; positive for refunds too
    reporting_minor bigint, -- minor units of the website's currency; null when no rate is known
    occurred_at     timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    visitor_id      text        COLLATE "C",
    basis           text        NOT NULL COLLATE "C", -- how visitor_id was found
    session_id      text        COLLATE "C",
    customer_id     text        COLLATE "C",
    email           text,
    email_folded    text        COLLATE "C", -- for comparing
    name            text,
    metadata        json, -- as sent: jsonb would rewrite its numbers
    CONSTRAINT payments_pkey PRIMARY KEY (website_id, id),
    CONSTRAINT payments_website_transaction_key UNIQUE (website_id, transaction_id, is_refund),
    CONSTRAINT payments_amount_check CHECK (amount_minor BETWEEN 0 AND 9007199254740991),
    CONSTRAINT payments_kind_check CHECK (kind IN ('CHARGE', 'RENEWAL', 'FREE_TRIAL', 'REFUND')),
    CONSTRAINT payments_refund_amount_check CHECK (kind <> 'REFUND' OR amount_minor > 0),
    CONSTRAINT payments_basis_check CHECK (basis IN ('VISITOR_ID', 'REFUNDED_PAYMENT', 'CUSTOMER_ID', 'EMAIL', 'NONE')),
    CONSTRAINT payments_visitor_basis_check CHECK ((visitor_id IS NULL) = (basis = 'NONE'))
);
CREATE INDEX payments_occurred_idx ON payments (website_id, occurred_at, id);
CREATE INDEX payments_visitor_idx ON payments (website_id, visitor_id, occurred_at, id);
CREATE INDEX payments_charge_idx ON payments (website_id, charge_id) WHERE is_refund;
CREATE INDEX payments_customer_idx ON payments (website_id, customer_id, occurred_at, id) WHERE customer_id IS NOT NULL;
CREATE INDEX payments_email_idx ON payments (website_id, email_folded) WHERE email_folded IS NOT NULL;

CREATE TABLE payment_deletions (
    website_id     text        NOT NULL COLLATE "C",
    id             uuid        NOT NULL,
    token_id       text        NOT NULL COLLATE "C",
    transaction_id text        COLLATE "C", -- the filter
    visitor_id     text        COLLATE "C",
    range_from     timestamptz,
    range_to       timestamptz,
    deleted_count  bigint      NOT NULL,
    deleted_at     timestamptz NOT NULL,
    CONSTRAINT payment_deletions_pkey PRIMARY KEY (website_id, id)
);
