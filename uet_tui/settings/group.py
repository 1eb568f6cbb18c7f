"""What all groups of settings have in common."""

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """Settings that stand under one key: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
