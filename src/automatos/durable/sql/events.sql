-- Kept for the version before, which reads each event as a row; with the rights of whoever reads.
CREATE OR REPLACE VIEW events WITH (security_invoker = true) AS
SELECT r.stream, (r.seq + e.n - 1)::int AS seq, r.workspace_id, (e.event->>0)::varchar(50) AS type, e.event->2 AS data,
       (e.event->>1)::timestamptz AS created_at
FROM event_records r CROSS JOIN LATERAL jsonb_array_elements(r.events) WITH ORDINALITY AS e (event, n);
