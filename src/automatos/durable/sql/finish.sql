-- Delete a job that is done; says whether others wait in the lane it leaves.
CREATE OR REPLACE FUNCTION durable.finish(job text, job_key text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    left_lane text;
BEGIN
    DELETE FROM durable.jobs WHERE name = job AND key = job_key RETURNING lane INTO left_lane;
    RETURN left_lane <> '' AND EXISTS (SELECT FROM durable.jobs WHERE lane = left_lane AND executor_id IS NULL);
END $$;
