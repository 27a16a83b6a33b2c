"""Redaction: replace secrets and personal values in recordings by placeholders.

- `sensitive_fields`: fields that are sensitive by name or by the contract
- `patterns`, `known_values`: sensitive parts of a text, by pattern or by value
- `walk`: visit every text of an exchange
- `placeholders`: which placeholder replaces which value
- `visitors`: collect, replace and mask the texts of a walk
- `guard`: refuse to save secrets
- `redaction`: the public `Redaction`, and the user's own rules
"""
