"""One request: from `Request` to `Response`."""
