"""Who the invoices go to."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Customer:
    """A name and where the post goes."""

    name: str
    street: str
    city: str

    @property
    def address(self):
        """As it stands on an envelope."""
        return f"{self.name}\n{self.street}\n{self.city}"


def load(path):
    """The customers in a JSON file, by name."""
    found = [Customer(**one) for one in json.loads(Path(path).read_text(encoding="utf-8"))]
    return {customer.name: customer for customer in found}
