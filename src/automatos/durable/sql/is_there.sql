-- Whether a process is alive, by its lease and by the lock of its listening connection.
CREATE OR REPLACE FUNCTION durable.is_there(who uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    of_who bigint := hashtextextended(who::text, 7246302);
    listens boolean;
BEGIN
    SELECT e.is_listening INTO listens FROM durable.executors e WHERE e.id = who AND e.expires_at > clock_timestamp();
    -- A process holds this lock on the connection by which it listens: who is killed is gone before its lease ends.
    IF listens AND pg_try_advisory_lock(of_who) THEN
        PERFORM pg_advisory_unlock(of_who);
        RETURN false;
    END IF;
    RETURN listens IS NOT NULL;
END $$;
