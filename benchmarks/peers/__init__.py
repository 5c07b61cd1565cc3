"""Runners for `benchmarks.peers`: one cantilever in several packages, a process each, one JSON line out."""
