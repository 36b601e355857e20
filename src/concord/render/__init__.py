"""Writes every generated file of the repository from the contracts."""
