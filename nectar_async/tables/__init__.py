"""Records as dicts and JSON, and the schemas of tables."""
