"""whether the provider of WhatsApp has ever said anything"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # Until now a row was only made of what it said.
    told: sa.Column[bool] = sa.Column(
        "told", sa.Boolean(), server_default=sa.true(), nullable=False
    )
    op.add_column("whatsapp_state", told)


def downgrade() -> None:
    op.execute("DELETE FROM whatsapp_state WHERE NOT told")
    with op.batch_alter_table("whatsapp_state") as batch_op:
        batch_op.drop_column("told")
