"""Concord: a data platform of two layers that provably agree."""

__version__ = "0.1.0"
