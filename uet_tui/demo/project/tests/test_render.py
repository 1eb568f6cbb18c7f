"""An invoice on paper."""

import unittest

from ledger.customers import Customer
from ledger.render import WIDTH, render
from tests.samples import invoice


class Render(unittest.TestCase):
    """The page."""

    def test_begins_with_the_address(self):
        page = render(invoice(), Customer("Café Zwölf", "Torstraße 12", "Berlin"))
        self.assertTrue(page.startswith("Café Zwölf\nTorstraße 12\nBerlin\n"))

    def test_ends_with_the_total_in_the_last_column(self):
        last = render(invoice()).splitlines()[-1]
        self.assertTrue(last.startswith("total") and last.endswith("120.00"))
        self.assertEqual(len(last), WIDTH)
