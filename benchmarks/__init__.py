"""Benchmarks: costs of the package beside those of peers, in one run; see README.md."""
