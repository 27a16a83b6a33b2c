"""The HTTP server of the sandbox, without the operations: these are in `handlers`."""
