"""Bytes to models, and models to bytes."""
