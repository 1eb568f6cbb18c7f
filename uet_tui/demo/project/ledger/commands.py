"""The command line."""

import argparse
from pathlib import Path

from ledger import customers, store
from ledger.listing import listing
from ledger.render import render


def main(arguments=None, out=print):
    """Carries out one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="ledger")
    parser.add_argument("--file", type=Path, default=Path("data/invoices.json"))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="one line for each invoice")
    show = commands.add_parser("show", help="an invoice as the customer gets it")
    show.add_argument("number")
    chosen = parser.parse_args(arguments)

    invoices = store.load(chosen.file)
    known = customers.load(chosen.file.with_name("customers.json"))
    if chosen.command == "list":
        out(listing(invoices))
    if chosen.command == "show":
        found = [invoice for invoice in invoices if invoice.number == chosen.number]
        if not found:
            out(f"there is no invoice {chosen.number}")
            return 1
        out(render(found[0], known.get(found[0].customer)))
    return 0
