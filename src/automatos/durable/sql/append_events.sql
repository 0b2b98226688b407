-- Write the events of one record as one row; `after_seq` is the number of the stream's last event before them. The
-- numbers of a row's events follow each other, and `events` has as many items.
CREATE OR REPLACE FUNCTION durable.append_events(
    workspace uuid, in_stream text, after_seq int, types text[], bodies jsonb[], at_time timestamptz
)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.event_records (stream, seq, last, workspace_id, events)
    SELECT in_stream, after_seq + 1, after_seq + count(*), workspace,
           jsonb_agg(jsonb_build_array(e.type, at_time, e.body) ORDER BY e.n)
    FROM unnest(types, bodies) WITH ORDINALITY AS e (type, body, n) HAVING count(*) > 0;
END $$;
