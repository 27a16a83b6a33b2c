"""The generated portfolio: what companies have, computed from a seed.

It knows nothing of HTTP. The attrs classes here hold values to compute with: days as
ordinals, amounts as whole numbers. `server.wire_format` writes them as the API's JSON.
"""
