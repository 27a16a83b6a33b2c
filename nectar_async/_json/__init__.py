"""Decode JSON to models and encode models as JSON."""
