-- Further hosts of a website's pages; localhost stands for the machine of whoever looks at them.
ALTER TABLE websites ADD COLUMN hostnames text[] COLLATE "C" NOT NULL DEFAULT '{}';

-- A session has several visits when a campaign or an idle time lies between them.
DROP INDEX visits_website_session_key;
CREATE INDEX visits_session_idx ON visits (website_id, visitor_id, session_id, started_at, id) WHERE session_id IS NOT NULL;

-- The latest pageview of a visit, by which one that is sent again is recognised.
ALTER TABLE visits
    ADD COLUMN viewed    bigint, -- a hash of its address and referrer
    ADD COLUMN viewed_at timestamptz;

-- What identify has told.
ALTER TABLE visitors
    ADD COLUMN user_id text COLLATE "C",
    ADD COLUMN name    text,
    ADD COLUMN image   text;

-- A page alone says that the customer is visitor_id's: a payment that comes with a visitor says more. Whom
-- the page has named is kept, for when that payment is deleted.
ALTER TABLE customers
    ADD COLUMN claimed  boolean NOT NULL DEFAULT false,
    ADD COLUMN claimant text    COLLATE "C";

CREATE TABLE events (
    website_id  text        NOT NULL COLLATE "C",
    id          uuid        NOT NULL,
    visitor_id  text        NOT NULL COLLATE "C",
    visit_id    uuid, -- null when the visitor had no visit then
    type        text        NOT NULL COLLATE "C",
    name        text, -- of a custom event; the text of an external link
    page        text        NOT NULL, -- where it happened
    link        text, -- the address behind an external link
    properties  json, -- as sent: jsonb would rewrite its numbers
    occurred_at timestamptz NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (website_id, id),
    CONSTRAINT events_type_check CHECK (type IN ('CUSTOM', 'IDENTIFY', 'PAYMENT', 'EXTERNAL_LINK'))
);
CREATE INDEX events_visitor_idx ON events (website_id, visitor_id, occurred_at, id);
