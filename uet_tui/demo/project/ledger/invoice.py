"""What an invoice is."""

from dataclasses import dataclass
from datetime import date

from ledger.tax import tax_on


@dataclass(frozen=True)
class Item:
    """One line of an invoice."""

    text: str
    cents: int
    quantity: int = 1

    @property
    def sum(self):
        """Cents, without tax."""
        return self.cents * self.quantity


@dataclass(frozen=True)
class Invoice:
    """What a customer owes for some items."""

    number: str
    customer: str
    issued: date
    items: tuple
    days: int = 30
    received: int = 0
    """Cents that the customer has paid so far."""

    @property
    def net(self):
        """Cents, without tax."""
        return sum(item.sum for item in self.items)

    @property
    def tax(self):
        """Cents."""
        return tax_on(self.net)

    @property
    def total(self):
        """Cents, tax included."""
        return self.net + self.tax
