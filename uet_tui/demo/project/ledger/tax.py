"""Value added tax."""

STANDARD = 20
"""Percent."""


def tax_on(cents, percent=STANDARD):
    """The tax on a net amount, in cents."""
    return cents * percent // 100
