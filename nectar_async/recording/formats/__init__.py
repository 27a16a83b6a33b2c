"""Recordings from and for other tools.

in `har`, `har_export`, `har_shape`   HAR 1.2 of browsers and proxies
in `cassette`                         cassettes of vcrpy
in `traffic`, `received`              what is taken out of either, and what is left
in `addresses`, `credentials`         which operation it is; what must not come in
"""
