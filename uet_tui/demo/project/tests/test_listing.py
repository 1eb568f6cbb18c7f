"""The list of invoices."""

import unittest

from ledger.listing import listing
from tests.samples import invoice


class Listing(unittest.TestCase):
    """One line each."""

    def test_has_a_line_for_each_invoice_and_one_for_the_sum(self):
        text = listing([invoice("2024-002"), invoice("2024-001", "Harbour Cycles")])
        self.assertEqual(len(text.splitlines()), 4)
        self.assertIn("Harbour Cycles", text)
        self.assertTrue(text.endswith("240.00"))
