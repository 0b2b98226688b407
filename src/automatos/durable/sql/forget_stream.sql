-- Delete the events of a stream of the workspace that is set.
CREATE OR REPLACE FUNCTION durable.forget_stream(of_stream text) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM public.event_records WHERE stream = of_stream;
END $$;
