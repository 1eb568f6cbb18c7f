"""Invoices in a file."""

import tempfile
import unittest
from pathlib import Path

from ledger import store
from tests.samples import invoice


class Store(unittest.TestCase):
    """Saving and loading."""

    def test_loads_what_it_saved(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "invoices.json")
            store.save(path, [invoice(received=500), invoice("2024-002", days=7)])
            self.assertEqual(store.load(path), [invoice(received=500), invoice("2024-002", days=7)])

    def test_leaves_letters_as_they_are(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "invoices.json")
            store.save(path, [invoice(customer="Žluťoučký kůň")])
            self.assertIn("Žluťoučký kůň", path.read_text(encoding="utf-8"))
