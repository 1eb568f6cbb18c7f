"""What is remembered: tables, the one writer, read-only queries that return plain views, the inbox."""
