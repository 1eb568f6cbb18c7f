"""What an agent is shown of the repository: which files matter, how many tokens they are, what is left out and why."""
