-- The events of a run that is over become one row for each unbroken series of numbers. PostgreSQL compresses a row of
-- more than 2 kB: texts that a run tells several times cost little in one. Rows that are large by themselves are
-- compressed already, and would be read and written again for little.
CREATE OR REPLACE FUNCTION durable.pack_events() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    of_run text := 'run:' || new.id;
BEGIN
    IF (SELECT count(*) NOT BETWEEN 2 AND 100 OR sum(pg_column_size(r.events)) > 32768
        FROM (SELECT events FROM public.event_records WHERE stream = of_run ORDER BY seq LIMIT 101) AS r) THEN
        RETURN NULL;
    END IF;
    WITH gone AS (
        DELETE FROM public.event_records WHERE stream = of_run RETURNING stream, seq, workspace_id, events
    )
    INSERT INTO public.event_records (stream, seq, last, workspace_id, events)
    
SELECT stream, min(number)::int, max(number)::int, workspace_id, jsonb_agg(event ORDER BY number)
FROM (SELECT n.*, number - row_number() OVER (PARTITION BY stream ORDER BY number) AS island FROM (SELECT g.stream, g.seq + e.n - 1 AS number, g.workspace_id, e.event FROM gone g, jsonb_array_elements(g.events) WITH ORDINALITY AS e (event, n)) AS n) AS i
GROUP BY stream, workspace_id, island
;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER pack_events AFTER UPDATE ON recipe_executions
FOR EACH ROW WHEN (old.finished_at IS NULL AND new.finished_at IS NOT NULL)
EXECUTE FUNCTION durable.pack_events();
