"""Invoices of a small workshop, in plain text."""

__version__ = "1.4.0"
