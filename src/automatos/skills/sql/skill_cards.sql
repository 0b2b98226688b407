-- What lists show of skills, by their ids or by names; a workspace's own come before the product's.
CREATE OR REPLACE FUNCTION skill_cards(wanted int[], named text[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', id, 'name', name, 'description', description,
                                                'skill_type', skill_type, 'category', category, 'source', source,
                                                'is_active', is_active, 'core_tokens', core_tokens)
                             ORDER BY workspace_id NULLS LAST, id)
            FROM public.skills WHERE CASE WHEN named IS NULL THEN id = ANY(wanted) ELSE name = ANY(named) END);
END $$;
