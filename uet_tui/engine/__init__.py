"""Doing it: orchestrator, workers, keeper, recovery."""
