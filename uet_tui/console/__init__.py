"""What the operator sees: the Textual app."""
