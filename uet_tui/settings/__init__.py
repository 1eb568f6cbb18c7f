"""What is set: `config/*.yaml` in layers -> typed settings, each value with where it came from."""
