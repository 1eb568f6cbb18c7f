"""Tests of the console: panes and screens over frozen views and a source that records what it is asked."""
