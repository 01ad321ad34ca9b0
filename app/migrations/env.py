"""How Alembic reaches the hub's database: through the connection it is handed."""

from alembic import context

from app.db import db
from app.schema import load_models

load_models()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
