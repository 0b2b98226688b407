-- Write what runs of agents begin with; what many have alike is one row for all of a workspace.
CREATE OR REPLACE FUNCTION append_runs(workspace uuid, runs jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    run record;
    shared jsonb;
    its_hash bytea;
    today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
    FOR run IN SELECT * FROM jsonb_to_recordset(runs) AS r (id uuid, agent_id int, execution_id uuid, opening jsonb) LOOP
        shared := run.opening - '{prompt,limits}'::text[];
        its_hash := substr(sha256(convert_to(shared::text, 'UTF8')), 1, 16);
        -- Who uses it again on the same day only looks. What was used lately is not removed, so it stays.
        IF NOT EXISTS (SELECT FROM public.run_setups s
                       WHERE s.workspace_id = workspace AND s.hash = its_hash AND s.used_on >= today) THEN
            INSERT INTO public.run_setups AS s (workspace_id, hash, setup, used_on)
            VALUES (workspace, its_hash, shared, today)
            ON CONFLICT (workspace_id, hash) DO UPDATE SET used_on = greatest(s.used_on, excluded.used_on);
        END IF;
        INSERT INTO public.agent_run_records (id, workspace_id, agent_id, execution_id, opening, setup_hash)
        VALUES (run.id, workspace, run.agent_id, run.execution_id,
                jsonb_build_object('prompt', run.opening->'prompt', 'limits', run.opening->'limits'), its_hash);
    END LOOP;
END $$;
