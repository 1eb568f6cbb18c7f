"""`python -m uet_tui` is the `uet` command."""

from uet_tui.cli import main

if __name__ == "__main__":
    main()
