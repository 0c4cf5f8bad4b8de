"""Benchmarks: every figure beside its peer, measured in the same run on the same inputs, with agreement checked.

A suite is a list of modules with `rows(options)`; peers come with the extra `peers` and are imported only when asked for.
"""
