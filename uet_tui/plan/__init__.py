"""What is to be done: bundles, scopes, the graph, waves, validation. Reads files, runs nothing."""
