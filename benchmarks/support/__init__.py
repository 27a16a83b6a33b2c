"""Helpers of the benchmarks: the server, the measured pulls, figures and results."""
