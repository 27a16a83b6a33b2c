"""Benchmarks: costs of the package and of its peers, measured in one run; see README.md."""
