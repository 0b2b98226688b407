-- Kept for the version before: which agents take no work now, as texts for people.
CREATE OR REPLACE FUNCTION unavailable_agents(ids int[]) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT array_agg(coalesce(a.name, 'agent ' || i.id) || ' ('
                             || CASE WHEN a.stopping IS NOT NULL THEN 'stopping' ELSE coalesce(a.status, 'deleted') END || ')')
            FROM unnest(ids) AS i (id) LEFT JOIN public.agents a ON a.id = i.id
            WHERE a.status IS NULL OR a.status NOT IN ('active', 'idle', 'paused') OR a.stopping IS NOT NULL);
END $$;
