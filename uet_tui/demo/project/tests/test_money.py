"""Amounts of money."""

import unittest

from ledger import money


class Money(unittest.TestCase):
    """In and out."""

    def test_shows_cents_with_separators(self):
        self.assertEqual(money.show(123456789), "1,234,567.89")
        self.assertEqual(money.show(-5), "-0.05")

    def test_reads_what_it_shows(self):
        for cents in (0, 7, 100, 123456, -250):
            self.assertEqual(money.parse(money.show(cents)), cents)

    def test_refuses_what_is_not_an_amount(self):
        for text in ("", "ten", "1.005"):
            with self.assertRaises(ValueError):
                money.parse(text)
