"""Runs with the real agent programs against the fake provider: `make test-agents`, which installs them."""
