-- Make a lane or change it; `lane_mode` is open, held or closed.
CREATE OR REPLACE FUNCTION durable.set_lane(lane_name text, lane_capacity int, lane_mode text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO durable.lanes (name, capacity, mode) VALUES (lane_name, lane_capacity, lane_mode)
    ON CONFLICT (name) DO UPDATE SET capacity = excluded.capacity, mode = excluded.mode;
END $$;
