"""Invoices in a JSON file."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from ledger.invoice import Invoice, Item


def load(path):
    """The invoices in a file."""
    return [_invoice(one) for one in json.loads(Path(path).read_text(encoding="utf-8"))]


def save(path, invoices):
    """Writes invoices to a file, whole or not at all."""
    rows = [{**asdict(invoice), "issued": invoice.issued.isoformat()} for invoice in invoices]
    new = Path(f"{path}.new")
    new.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(path)


def _invoice(row):
    items = tuple(Item(**item) for item in row["items"])
    return Invoice(**{**row, "issued": date.fromisoformat(row["issued"]), "items": items})
