"""End to end: the program in a real terminal."""
