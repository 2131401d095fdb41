-- Rows are inserted several times as fast without the indexes, which end.sql makes anew. Both are in one transaction,
-- so that a fill that fails leaves nothing behind.
CREATE TEMP TABLE dropped ON COMMIT DROP AS
SELECT i.indrelid::regclass AS of, i.indexrelid::regclass::text AS index, pg_get_indexdef(i.indexrelid) AS definition,
    quote_ident(c.conname) AS name, pg_get_constraintdef(c.oid) AS constraint
FROM pg_index i
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
WHERE i.indrelid IN ('payments'::regclass, 'visits'::regclass, 'visitors'::regclass);

DO $$
DECLARE
    d record;
BEGIN
    FOR d IN SELECT * FROM dropped LOOP
        EXECUTE coalesce('ALTER TABLE ' || d.of || ' DROP CONSTRAINT ' || d.name, 'DROP INDEX ' || d.index);
    END LOOP;
END
$$;

-- One of so many, that follows from the number alone, so that every run has the same data.
CREATE OR REPLACE FUNCTION pg_temp.pick(n bigint, among bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
$$ SELECT abs(hashint8(n)::bigint) % among $$;

-- When the number occurs, of so many in the two years before today: one after the other, as a ledger is written.
CREATE OR REPLACE FUNCTION pg_temp.moment(n bigint, of bigint) RETURNS timestamptz STABLE LANGUAGE sql AS
$$ SELECT date_trunc('day', now(), 'UTC') + make_interval(secs => 730 * 86400 * ((n + pg_temp.pick(n, 1000) / 1000.0::float8) / of - 1)) $$;

-- Every third visit is of somebody who has been there before, the others are of new visitors.
CREATE OR REPLACE FUNCTION pg_temp.visitor_of(visit bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT 'v' || CASE WHEN visit % 3 = 2 THEN pg_temp.pick(visit, visit / 3 * 2 + 2) ELSE visit / 3 * 2 + visit % 3 END $$;
