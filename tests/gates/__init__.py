"""Gates, with real commands."""
