"""Runs with real git, real processes and a real store."""
