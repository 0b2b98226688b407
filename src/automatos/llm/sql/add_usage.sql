-- One statement adds to the sums of days all that another one has written, whoever wrote it. Rows are counted up in
-- place, without a new index entry.
CREATE OR REPLACE FUNCTION add_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO llm_usage_days AS d (workspace_id, agent_id, day, requests, failed_requests, estimated_requests,
                                     input_tokens, output_tokens, total_tokens, cache_read_tokens, cache_write_tokens,
                                     known_micro_usd, unpriced_calls)
    SELECT workspace_id, coalesce(agent_id, 0), (created_at AT TIME ZONE 'UTC')::date, count(*),
           count(*) FILTER (WHERE status = 'error'), count(*) FILTER (WHERE is_estimated), sum(input_tokens),
           sum(output_tokens), sum(total_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
           coalesce(sum(cost_micro_usd), 0), count(*) FILTER (WHERE cost_micro_usd IS NULL)
    FROM added GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, agent_id, day) DO UPDATE SET
        requests = d.requests + excluded.requests,
        failed_requests = d.failed_requests + excluded.failed_requests,
        estimated_requests = d.estimated_requests + excluded.estimated_requests,
        input_tokens = d.input_tokens + excluded.input_tokens,
        output_tokens = d.output_tokens + excluded.output_tokens,
        total_tokens = d.total_tokens + excluded.total_tokens,
        cache_read_tokens = d.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = d.cache_write_tokens + excluded.cache_write_tokens,
        known_micro_usd = d.known_micro_usd + excluded.known_micro_usd,
        unpriced_calls = d.unpriced_calls + excluded.unpriced_calls;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER add_usage AFTER INSERT ON llm_usage REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION add_usage();
