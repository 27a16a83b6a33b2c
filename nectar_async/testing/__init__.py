"""The pytest plugin and the virtual clock.

- `plugin`: the entry point; it imports the rest when a test uses a fixture
- `fixtures`, `sandbox_fixture`: `nectar_recording` and `nectar_sandbox`
- `options`: markers, command-line flags and settings of a test
- `replay`, `live`: a test that replays its recording, or sends its requests
- `shared_recorder`: one recording that several tests write
- `portal_transport`: network requests in the event loop of another thread
- `plugin_session`: state of the pytest session, and its summary
- `tracebacks`: short tracebacks of requests without a recorded answer
- `virtual_clock`: time that passes without waiting
"""
