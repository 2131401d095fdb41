SET LOCAL maintenance_work_mem = '512MB';

DO $$
DECLARE
    d record;
BEGIN
    FOR d IN SELECT * FROM dropped LOOP
        EXECUTE coalesce('ALTER TABLE ' || d.of || ' ADD CONSTRAINT ' || d.name || ' ' || d.constraint, d.definition);
    END LOOP;
END
$$;
