"""Is it good: what gates there are for a tree, running them, and what their exit codes mean."""
