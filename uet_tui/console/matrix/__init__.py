"""The forecast: active branches by active branches, and where two of them meet."""
