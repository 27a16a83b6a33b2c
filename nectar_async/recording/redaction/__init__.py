"""What a recording must not hold, and what stands there instead.

in `kinds`, `spots`   what is secret or personal, by key and by the contract
in `shapes`, `marks`  what is by its looks
in `rules`            what a user adds
in `standins`         what stands in its place
in `carry`, `links`   the same value in other places; links, which differ each time
in `tree`, `walk`     all the texts of an exchange, for `visitors` and `masks`
in `guard`            what is never saved
in `redaction`        all of it together
"""
