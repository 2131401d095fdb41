-- The defaults are for a server of the version before, which goes on recording while this one starts.
ALTER TABLE visits
    ADD COLUMN referrer_host text COLLATE "C" NOT NULL DEFAULT '', -- or the package of an app; empty when it is the website's own
    ADD COLUMN landing_path  text COLLATE "C" NOT NULL DEFAULT ''; -- after the host, if that is not the website's domain

-- Of visits recorded before, checkouts and sign-in pages are referrers too: which these are, only the
-- table of known sources tells.
UPDATE visits AS t
SET referrer_host = CASE WHEN a.referrer = a.own OR a.referrer LIKE '%.' || a.own THEN '' ELSE left(a.referrer, 255) END,
    landing_path = left(CASE WHEN a.host = a.own THEN '' ELSE a.host END || coalesce(nullif(a.path, ''), '/'), 255)
FROM (SELECT v.website_id, v.id,
          regexp_replace(lower(w.domain), '^www\.|\.$', '', 'g') AS own,
          regexp_replace(lower(coalesce(substring(v.referrer FROM '^[^:]+://(?:[^/?#]*@)?([^/?#:]*)'), '')), '^www\.|\.$', '', 'g') AS referrer,
          regexp_replace(lower(coalesce(substring(v.landing_page FROM '^[^:]+://(?:[^/?#]*@)?([^/?#:]*)'), '')), '^www\.|\.$', '', 'g') AS host,
          substring(v.landing_page FROM '^[^:]+://[^/?#]*([^?#]*)') AS path
      FROM visits v JOIN websites w ON w.id = v.website_id) AS a
WHERE a.website_id = t.website_id AND a.id = t.id;

-- For the visits of a range of time, whoever's they are.
CREATE INDEX visits_started_idx ON visits (website_id, started_at);

-- Finds the touchpoints of payments, and tells their most asked for dimensions without reading the visits.
DROP INDEX visits_visitor_idx;
CREATE INDEX visits_visitor_idx ON visits (website_id, visitor_id, started_at, id) INCLUDE (channel, source);
