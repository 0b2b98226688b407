-- The events of a stream that is over become one row for each unbroken series of numbers. PostgreSQL compresses a row of
-- more than 2 kB: texts that a stream tells several times cost little in one. Rows that are large by themselves are
-- compressed already, and would be read and written again for little.
CREATE OR REPLACE FUNCTION durable.pack_stream(of_stream text) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
    IF (SELECT count(*) NOT BETWEEN 2 AND 100 OR sum(pg_column_size(r.events)) > 32768
        FROM (SELECT events FROM public.event_records WHERE stream = of_stream ORDER BY seq LIMIT 101) AS r) THEN
        RETURN;
    END IF;
    WITH gone AS (
        DELETE FROM public.event_records WHERE stream = of_stream RETURNING stream, seq, workspace_id, events
    ), numbered AS (
        SELECT g.stream, g.seq + e.n - 1 AS number, g.workspace_id, e.event
        FROM gone g CROSS JOIN jsonb_array_elements(g.events) WITH ORDINALITY AS e (event, n)
    ), islands AS (
        SELECT n.*, n.number - row_number() OVER (PARTITION BY n.stream ORDER BY n.number) AS island FROM numbered n
    )
    INSERT INTO public.event_records (stream, seq, last, workspace_id, events)
    SELECT i.stream, min(i.number)::int, max(i.number)::int, i.workspace_id, jsonb_agg(i.event ORDER BY i.number)
    FROM islands i GROUP BY i.stream, i.workspace_id, i.island;
END $$;
