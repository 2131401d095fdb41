INSERT INTO visitors (website_id, id, first_seen_at, last_seen_at, visit_count)
SELECT website_id, visitor_id, min(started_at), max(last_seen_at), count(*) FROM visits WHERE website_id = ANY (@websites) GROUP BY 1, 2;
