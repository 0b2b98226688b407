-- What lists show of personas, by their ids or by a slug; a workspace's own comes before the product's.
CREATE OR REPLACE FUNCTION persona_cards(wanted uuid[], named text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', id, 'slug', slug, 'name', name, 'category', category, 'scope', scope,
                                                'is_active', is_active) ORDER BY workspace_id NULLS LAST)
            FROM public.personas WHERE CASE WHEN named IS NULL THEN id = ANY(wanted) ELSE slug = named END);
END $$;
