"""Redaction: replace secrets and personal values in recordings by placeholders.

- `sensitive_fields`: fields that are sensitive by name or by the contract
- `patterns`, `known_values`: sensitive parts of a text, by pattern or by value
- `rules`: the user's own rules
- `walk`: visit every text of an exchange
- `placeholders`: which placeholder replaces which value
- `replacement`: collect values and write placeholders
- `masking`: mask the questions that a replay looks for
- `guard`: refuse to save secrets
- `redaction`: the public `Redaction`
"""
