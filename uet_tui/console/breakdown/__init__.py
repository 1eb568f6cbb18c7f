"""The screen of the breakdown: where the money and the tokens went, from five sides."""
