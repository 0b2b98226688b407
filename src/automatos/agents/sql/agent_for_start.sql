-- What a start of an agent's own work needs to know of it.
CREATE OR REPLACE FUNCTION agent_for_start(wanted int) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('name', name, 'status', status, 'is_stopping', stopping IS NOT NULL,
                                      'status_reason', status_reason, 'timeout_s', configuration->'timeout_seconds')
            FROM public.agents WHERE id = wanted);
END $$;
