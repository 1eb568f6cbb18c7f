"""What is read of what agents say; `said/` holds what the real programs printed to a server that plays provider."""
