"""An invoice as the customer gets it."""

from ledger import money

WIDTH = 60


def render(invoice, customer=None):
    """The page, with the address if the customer is known."""
    head = customer.address if customer else invoice.customer
    lines = [head, "", f"Invoice {invoice.number}", f"{invoice.issued:%d %B %Y}", ""]
    for item in invoice.items:
        lines.append(_line(f"{item.quantity} x {item.text}", item.sum))
    lines += ["-" * WIDTH, _line("net", invoice.net), _line("tax", invoice.tax), _line("total", invoice.total)]
    return "\n".join(lines)


def _line(text, cents):
    amount = money.show(cents)
    return f"{text:<{WIDTH - len(amount)}}{amount}"
