"""The work of the pytest plugin, loaded when a test uses one of its fixtures.

in `terms`        what markers, flags and settings say about a test
in `places`       where its recording is
in `play`         from there to its recording, and back when it is over
in `recordings`   what the test is given
in `replays`      a test that is answered from its recording
in `live`         a test whose requests are sent, and recorded if wanted
in `booth`        witness, overlays and time for such a test
in `tapes`        what the tests of one run record at one path
in `remote`       a transport whose event loop outlives that of the test
in `sandboxes`    a sandbox of a test's own
in `suite`        what the tests of a session share, and what is said at its end
"""
