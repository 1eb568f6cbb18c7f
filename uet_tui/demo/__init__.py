"""The demo: a scratch repository, a plan whose agents are rehearsed, and a tour of it without a terminal."""
