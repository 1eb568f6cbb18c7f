"""`python3 -m ledger`."""

import sys

from ledger.commands import main

if __name__ == "__main__":
    sys.exit(main())
