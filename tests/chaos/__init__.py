"""Whole runs that are killed, frozen or refused at any instant: they end as if nothing had been."""
