"""Agents: what they are told, how they are started, what is read of what they say."""
