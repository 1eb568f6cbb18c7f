"""What agents say: their output, read as it comes, each format in a module of its own."""
