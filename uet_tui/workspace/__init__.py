"""Where it is done, and the only place that runs git: control repository, sandboxes, snapshots, diffs."""
