"""how far a bulk is, in the order of an index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    position = sa.Column("done_at", sa.BigInteger(), server_default="0", nullable=False)
    op.add_column("bulks", position)


def downgrade() -> None:
    with op.batch_alter_table("bulks") as batch_op:
        batch_op.drop_column("done_at")
