"""Amounts of money: whole cents inside, text outside."""

from decimal import Decimal, InvalidOperation


def show(cents):
    """`123456` as `1,234.56`."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{rest:02}"


def parse(text):
    """`1,234.56` as `123456`; raises `ValueError` for what is not an amount in cents."""
    try:
        cents = Decimal(text.replace(",", "")) * 100
    except InvalidOperation:
        raise ValueError(f"not an amount: {text!r}") from None
    if cents != cents.to_integral_value():
        raise ValueError(f"not a whole number of cents: {text!r}")
    return int(cents)
