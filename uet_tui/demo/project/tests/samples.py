"""Invoices to test with."""

from datetime import date

from ledger.invoice import Invoice, Item


def invoice(number="2024-001", customer="Café Zwölf", issued=date(2024, 3, 1), cents=10000, **more):
    """An invoice of one item."""
    return Invoice(number, customer, issued, (Item("Stool", cents),), **more)
