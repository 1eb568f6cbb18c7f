"""Proposals and the ladder's rungs, places in the merge queue, the forecast, the trees that gates looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds them; what was there before has none of it."""
    none, zero, nothing = sa.text("'[]'"), sa.text("0"), sa.text("''")
    for column in (
        sa.Column("wish", sa.Text(), nullable=False, server_default=nothing),
        sa.Column("queued_at", sa.DateTime(timezone=True)),
        sa.Column("overtaken", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("held", sa.Boolean(), nullable=False, server_default=zero),
        sa.Column("first", sa.Boolean(), nullable=False, server_default=zero),
    ):
        op.add_column("workstreams", column)
    for column in (
        sa.Column("tried", sa.JSON(), nullable=False, server_default=none),
        sa.Column("gates", sa.JSON(), nullable=False, server_default=none),
        sa.Column("note", sa.Text(), nullable=False, server_default=nothing),
        sa.Column("deferred", sa.Boolean(), nullable=False, server_default=zero),
        sa.Column("asks", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("asking", sa.Boolean(), nullable=False, server_default=zero),
        sa.Column("climbing", sa.Boolean(), nullable=False, server_default=zero),
        sa.Column("reserved_usd", sa.Float(), nullable=False, server_default=zero),
    ):
        op.add_column("merge_conflicts", column)
    op.add_column("gate_results", sa.Column("tree", sa.String(), nullable=False, server_default=nothing))
    op.create_table(
        "merge_forecast",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("second", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_merge_forecast_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "first", "second", name=op.f("pk_merge_forecast")),
    )
