"""why a bulk left letters as they were"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("bulks", sa.Column("problems", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("bulks") as batch_op:
        batch_op.drop_column("problems")
