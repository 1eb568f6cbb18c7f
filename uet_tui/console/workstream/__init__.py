"""The screen of one workstream: why it is where it is, and what its attempts printed, changed and were told."""
