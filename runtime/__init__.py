"""Settings, clock, keys and the database engine. No domain words."""
