-- Store a run, its events and its first steps with their jobs: all of them or none. `begun` is the first step of a line
-- as its holder would record it when it begins; where it has to wait, the run is queued as if nothing had been said of
-- it. Says whether the run has begun; NULL when its idempotency key was used before.
CREATE OR REPLACE FUNCTION accept_run(
    run uuid, workspace uuid, of_recipe int, of_version int, input json, steps int, by_whom text, request_key text,
    request text, deadline timestamptz, at_time timestamptz, types text[], bodies jsonb[], run_kind text, agent int,
    own json, first jsonb, job text, job_priority int, begun jsonb, agent_runs jsonb
)
RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    step_key text;
    is_begun boolean := false;
    count int := 1;
BEGIN
    IF begun IS NOT NULL THEN
        step_key := run || '/' || (begun->'step'->>'path');
        IF begun->'idle' <> '[]' THEN
            PERFORM public.wake_agents(ARRAY(SELECT value::int FROM jsonb_array_elements_text(begun->'idle')));
        END IF;
        is_begun := durable.enqueue_begun(
            job, step_key, workspace, coalesce(job_priority, (begun->>'priority')::int),
            'agent:' || (begun->'step'->>'agent_id'), (begun->>'holder')::uuid, (begun->>'epoch')::bigint);
        IF is_begun THEN
            first := jsonb_build_array(begun->'step'); count := cardinality(types);
        END IF;
    END IF;
    INSERT INTO public.recipe_executions
        (id, workspace_id, recipe_id, recipe_version, input_data, total_steps, triggered_by, idempotency_key,
         request_hash, deadline_at, last_seq, created_at, kind, agent_id, definition, status, started_at, current_step)
    VALUES (run, workspace, of_recipe, of_version, input, steps, by_whom, request_key, request, deadline, count, at_time,
            run_kind, agent, own, CASE WHEN is_begun THEN 'running' ELSE 'queued' END,
            CASE WHEN is_begun THEN at_time END, CASE WHEN is_begun THEN 1 ELSE 0 END)
    ON CONFLICT (workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING;
    IF NOT FOUND THEN
        IF is_begun THEN PERFORM durable.finish(job, step_key); END IF;
        RETURN NULL;
    END IF;
    INSERT INTO public.recipe_execution_steps
        (execution_id, workspace_id, step_order, path, step_id, agent_id, agent_name, output_key, status, prompt, run_id,
         started_at, epoch, last_seq)
    SELECT run, workspace, r.step_order, r.path, r.step_id, r.agent_id, r.agent_name, r.output_key,
           coalesce(r.status, 'pending'), coalesce(r.prompt, ''), r.run_id, r.started_at,
           CASE WHEN is_begun THEN 1 ELSE 0 END, CASE WHEN is_begun THEN count ELSE 0 END
    FROM jsonb_to_recordset(first) AS r (
        step_order int, path text, step_id text, agent_id int, agent_name text, output_key text, status text,
        prompt text, run_id uuid, started_at timestamptz);
    PERFORM durable.append_events(workspace, 'run:' || run, 0, types[1:count], bodies[1:count], at_time);
    IF is_begun THEN
        PERFORM public.append_runs(workspace, agent_runs);
    ELSE
        PERFORM durable.enqueue(job, run || '/' || r.path, workspace,
                                coalesce(job_priority, public.agent_priority(r.agent_id)), NULL, 'agent:' || r.agent_id),
                public.wake_agents(ARRAY[r.agent_id])
        FROM jsonb_to_recordset(first) AS r (path text, agent_id int);
    END IF;
    RETURN is_begun;
END $$;
