"""What Alembic runs to migrate a store: always on a connection that the store hands over, never on a URL of its own."""

from alembic import context

from uet_tui.store.tables import METADATA, SCHEMA_META

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=SCHEMA_META.name,
    transactional_ddl=True,  # the whole migration or nothing; SQLite can, though Alembic does not expect it
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
