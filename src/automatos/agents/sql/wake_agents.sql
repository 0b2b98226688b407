-- An idle agent becomes active because work has come to it.
CREATE OR REPLACE FUNCTION wake_agents(wanted int[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.agents SET status = 'active', status_changed_at = now() WHERE id = ANY(wanted) AND status = 'idle';
END $$;
