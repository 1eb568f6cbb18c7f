"""Since when the agent of an attempt stands still."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds it; none was frozen."""
    op.add_column("attempts", sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True))
