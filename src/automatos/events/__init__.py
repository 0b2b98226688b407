"""What a run tells while it goes: one model for each type of event, read alike by servers, clients and documents."""
