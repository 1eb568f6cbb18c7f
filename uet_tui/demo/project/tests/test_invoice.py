"""What an invoice comes to."""

import unittest
from datetime import date

from ledger.invoice import Invoice, Item


class Sums(unittest.TestCase):
    """Net, tax, total."""

    def test_adds_up_items_and_tax(self):
        items = (Item("Shelf", 18900, 4), Item("Delivery", 2500))
        invoice = Invoice("1", "Harbour Cycles", date(2024, 1, 1), items)
        self.assertEqual((invoice.net, invoice.tax, invoice.total), (78100, 15620, 93720))

    def test_of_nothing_is_nothing(self):
        self.assertEqual(Invoice("1", "Harbour Cycles", date(2024, 1, 1), ()).total, 0)
