"""Reports of use one by one, stages of the budget and its overrides, providers, what attempts were thought to need."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds them; the reports that were there are numbered in the order in which they came."""
    none, zero, one, nothing = sa.text("'[]'"), sa.text("0"), sa.text("1"), sa.text("''")
    for table, columns in {
        "runs": (
            sa.Column("phase_budget_usd", sa.Float()),
            sa.Column("task_budget_usd", sa.Float()),
            sa.Column("budget_stage", sa.String(16), nullable=False, server_default=sa.text("'ok'")),
            sa.Column("budget_note", sa.Text(), nullable=False, server_default=nothing),
            sa.Column("wide", sa.Integer()),
            sa.Column("overrides", sa.JSON(), nullable=False, server_default=none),
        ),
        "workstreams": (sa.Column("context_share", sa.Float(), nullable=False, server_default=one),),
        "attempts": (
            sa.Column("kill_reason", sa.Text(), nullable=False, server_default=nothing),
            sa.Column("provider", sa.Text(), nullable=False, server_default=nothing),
            sa.Column("tokens_cached", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("tokens_reasoning", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("reports", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("unpriced", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("estimated_tokens", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("estimated_usd", sa.Float(), nullable=False, server_default=zero),
            sa.Column("fault", sa.String(16)),
        ),
        "merge_conflicts": (
            sa.Column("provider", sa.Text(), nullable=False, server_default=nothing),
            sa.Column("reports", sa.JSON(), nullable=False, server_default=none),
        ),
        "cost_tracking": (
            sa.Column("tokens_cached", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("tokens_reasoning", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("estimated", sa.Boolean(), nullable=False, server_default=zero),
            sa.Column("priced", sa.Boolean(), nullable=False, server_default=one),
            sa.Column("conflict", sa.String(), nullable=False, server_default=nothing),
            sa.Column("ask", sa.Integer(), nullable=False, server_default=zero),
            sa.Column("number", sa.Integer(), nullable=False, server_default=one),
            sa.Column("provider", sa.Text(), nullable=False, server_default=nothing),
        ),
    }.items():
        for column in columns:
            op.add_column(table, column)
    op.execute(
        "UPDATE cost_tracking SET number = (SELECT count(*) FROM cost_tracking AS earlier"
        " WHERE earlier.run = cost_tracking.run AND earlier.workstream = cost_tracking.workstream"
        " AND earlier.attempt = cost_tracking.attempt AND earlier.id <= cost_tracking.id)"
    )
    op.execute(
        "UPDATE attempts SET reports = (SELECT count(*) FROM cost_tracking WHERE cost_tracking.run = attempts.run"
        " AND cost_tracking.workstream = attempts.workstream AND cost_tracking.attempt = attempts.number)"
    )
    op.drop_index(op.f("ix_cost_tracking_run_workstream_attempt"), "cost_tracking")
    op.create_index(
        "ix_cost_tracking_report",
        "cost_tracking",
        ["run", "workstream", "attempt", "conflict", "ask", "number"],
        unique=True,
    )
    op.create_table(
        "providers",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("limit", sa.Integer()),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_providers_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "name", name=op.f("pk_providers")),
    )
