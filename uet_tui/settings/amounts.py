"""Amounts in settings: none below zero, and none that cannot be added up."""

from typing import Annotated

from pydantic import Field

from uet_tui.plan.model import MOST_USD

_LONGEST = 1e9
"""Seconds: about thirty years, so that what is so far away is a time."""
Seconds = Annotated[float, Field(ge=0, le=_LONGEST, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, le=_LONGEST, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, lt=MOST_USD, allow_inf_nan=False)]
"""US dollars."""
