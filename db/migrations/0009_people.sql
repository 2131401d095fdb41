-- Whoever paid was forgotten: the money stays, and what identifies is gone for good.
ALTER TABLE payments
    ADD COLUMN erased boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT payments_erased_check CHECK (NOT erased
        OR num_nonnulls(visitor_id, session_id, customer_id, email, email_folded, name, metadata) = 0);

CREATE TABLE erasures (
    website_id      text        NOT NULL COLLATE "C",
    id              uuid        NOT NULL,
    token_id        text        NOT NULL COLLATE "C", -- empty when an operator's command did it
    person          json, -- who is being forgotten; null as soon as nothing is left
    payments        bigint      NOT NULL DEFAULT 0, -- that became anonymous
    others_payments bigint      NOT NULL DEFAULT 0, -- that lost their visitor only
    visits          bigint      NOT NULL DEFAULT 0,
    events          bigint      NOT NULL DEFAULT 0,
    begun_at        timestamptz NOT NULL,
    finished_at     timestamptz,
    CONSTRAINT erasures_pkey PRIMARY KEY (website_id, id),
    CONSTRAINT erasures_finished_check CHECK ((person IS NULL) = (finished_at IS NOT NULL))
);
CREATE INDEX erasures_unfinished_idx ON erasures (website_id, begun_at, id) WHERE finished_at IS NULL;

-- Find what names a visitor who is to be forgotten.
CREATE INDEX customers_visitor_idx ON customers (website_id, visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX customers_claimant_idx ON customers (website_id, claimant) WHERE claimant IS NOT NULL;
CREATE INDEX visitors_user_idx ON visitors (website_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX payment_deletions_visitor_idx ON payment_deletions (website_id, visitor_id) WHERE visitor_id IS NOT NULL;

-- For the events that are older than visits are kept.
CREATE INDEX events_occurred_idx ON events (website_id, occurred_at, id);
