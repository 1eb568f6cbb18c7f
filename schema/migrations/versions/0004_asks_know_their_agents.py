"""Who was asked about a conflict, with which model, and what of its use is counted."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds it. Who was asked was not on record: that is left open, and told by the settings of whoever goes on."""
    op.add_column("merge_conflicts", sa.Column("asked", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    connection = op.get_bind()
    conflicts = connection.exec_driver_sql('SELECT run, id, provider, reports, asks, asking FROM "merge_conflicts"')
    for run, id, provider, reports, newest, asking in conflicts.fetchall():
        counted = dict(enumerate(json.loads(reports), start=1))
        if asking:
            counted.setdefault(newest, 0)
        asked = [
            {"number": number, "provider": provider if number == newest else "", "reports": count}
            for number, count in counted.items()
            if count or (asking and number == newest)
        ]
        connection.exec_driver_sql(
            'UPDATE "merge_conflicts" SET asked = ? WHERE run = ? AND id = ?', (json.dumps(asked), run, id)
        )
    with op.batch_alter_table("merge_conflicts") as table:  # an older SQLite cannot drop a column
        table.drop_column("provider")
        table.drop_column("reports")
