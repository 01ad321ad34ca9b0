"""when the work of a slot had ended"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("slots", sa.Column("done_at", sa.BigInteger(), nullable=True))
    # What was taken before is over, however it ended: nothing of last night runs again now.
    op.execute("UPDATE slots SET done_at = taken_at")


def downgrade() -> None:
    with op.batch_alter_table("slots") as batch_op:
        batch_op.drop_column("done_at")
