"""The generated portfolio: companies and all their data, computed from a seed.

This package does not use HTTP. Its attrs classes hold values to compute with: days as
ordinals, amounts as whole numbers. `server.entity_json` writes them as the API's JSON.
"""
