"""Convert recordings from and to the formats of other tools.

- `har_reader`, `har_writer`, `har_schema`: HAR 1.2, of browsers and proxies
- `completeness`: checks that a file has the whole body of a request or a response
- `cassette`: cassettes of vcrpy
- `cassette_forms`: forms of aiohttp in cassettes
- `plain_yaml`: loads YAML as plain values; tags of Python objects are not executed
- `traffic_json`: loads JSON, whatever is odd in single values
- `importer`: turns the entries of either format into a recording
- `routing`: finds the operation that a URL belongs to
- `imported_secrets`: finds keys and cookies, which must not be imported
"""
