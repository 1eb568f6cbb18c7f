"""What came of it: the summary of a run."""
