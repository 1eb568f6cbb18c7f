"""uet: one operator, a plan of many workstreams, a fleet of coding agents, real git branches."""

__version__ = "0.1.0"
