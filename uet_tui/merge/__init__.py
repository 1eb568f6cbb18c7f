"""Bringing it together: merging in memory, conflicts, resolutions, landing."""
