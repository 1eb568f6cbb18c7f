"""Is it good: the gate runner."""
