"""Who does it: adapters, prompts, usage."""
