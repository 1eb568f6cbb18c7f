"""The list of invoices, one line each."""

from ledger import money


def listing(invoices):
    """A heading, a line for each invoice by number, and the sum of all."""
    lines = [f"{'number':<10}{'customer':<22}{'total':>12}"]
    for invoice in sorted(invoices, key=lambda one: one.number):
        lines.append(f"{invoice.number:<10}{invoice.customer:<22}{money.show(invoice.total):>12}")
    lines.append(f"{'':<32}{money.show(sum(invoice.total for invoice in invoices)):>12}")
    return "\n".join(lines)
