-- Kept for the version before: its workers take jobs by this name and the columns they know.
CREATE OR REPLACE FUNCTION durable.claim(holder uuid, wanted int, kinds text[])
RETURNS TABLE (name text, key text, workspace_id uuid, attempts int, signal text, lane text, mode text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT c.name, c.key, c.workspace_id, c.attempts, c.signal, c.lane, c.mode
                 FROM durable.claim_v2(holder, wanted, kinds, 64) c;
END $$;
