-- Kept for the version before: its workers take jobs by themselves, unless somebody is there who gives them out.
CREATE OR REPLACE FUNCTION durable.claim_v2(holder uuid, wanted int, kinds text[], places int)
RETURNS TABLE (name text, key text, workspace_id uuid, attempts int, crashes int, signal text, lane text, mode text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM durable.dispatcher d WHERE durable.is_there(d.executor_id)) THEN
        RETURN QUERY SELECT * FROM durable.claim_without_dispatcher(holder, wanted, kinds, places);
    END IF;
END $$;
