"""The command line, on the shipped data."""

import unittest

from ledger.commands import main


class Commands(unittest.TestCase):
    """What is printed."""

    def setUp(self):
        self.out = []

    def test_list(self):
        self.assertEqual(main(["list"], self.out.append), 0)
        self.assertIn("Baker Street Books", self.out[0])

    def test_show(self):
        self.assertEqual(main(["show", "2024-003"], self.out.append), 0)
        self.assertIn("907.20", self.out[0])

    def test_show_of_an_unknown_number(self):
        self.assertEqual(main(["show", "1999-001"], self.out.append), 1)
