-- What `tributary distribute` calls and reads of Citus, for a machine without it: the functions note their
-- calls, and the view shows what they did. Nothing is distributed.
CREATE SCHEMA citus;

CREATE TABLE citus.calls (n bigint GENERATED ALWAYS AS IDENTITY, call text NOT NULL);
CREATE TABLE citus.fault (table_name text NOT NULL); -- tables that cannot be distributed
CREATE TABLE citus.distributed (name regclass NOT NULL, type text NOT NULL, by text NOT NULL, colocation_id integer NOT NULL);

CREATE VIEW citus.citus_tables AS
SELECT name AS table_name, type AS citus_table_type, by AS distribution_column, colocation_id FROM citus.distributed;

CREATE FUNCTION citus.create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO citus.calls (call) VALUES (format('create_reference_table(%s)', table_name));
    DELETE FROM citus.distributed WHERE name = table_name;
    INSERT INTO citus.distributed VALUES (table_name, 'reference', '<none>', 1);
END $$;

CREATE FUNCTION citus.create_distributed_table(table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count integer DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO citus.calls (call) VALUES (format('create_distributed_table(%s, %s, %s)', table_name, distribution_column, colocate_with));
    IF EXISTS (SELECT FROM citus.fault f WHERE f.table_name::regclass = create_distributed_table.table_name) THEN
        RAISE 'the machine went away';
    END IF;
    INSERT INTO citus.distributed SELECT table_name, 'distributed', distribution_column,
        CASE colocate_with WHEN 'none' THEN (SELECT 1 + max(colocation_id) FROM citus.distributed)
            ELSE (SELECT colocation_id FROM citus.distributed WHERE name = colocate_with::regclass) END;
END $$;
