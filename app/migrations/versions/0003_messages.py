"""messages in one list, and what the provider told of them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("started_after", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_messages_delivery_id_deliveries"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["integration_events.id"],
            name=op.f("fk_messages_event_id_integration_events"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_messages_delivery_id")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("ix_messages_address", ["address", "id"], unique=False)
        batch_op.create_index("ix_messages_template", ["template", "id"], unique=False)
        batch_op.create_index("ix_messages_event", ["event_id"], unique=False)

    # Plain ALTER: rebuilding the table would stop whoever writes ticks meanwhile.
    op.add_column("whatsapp_messages", sa.Column("told_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_whatsapp_messages_told", "whatsapp_messages", ["told_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_whatsapp_messages_told", table_name="whatsapp_messages")
    op.drop_column("whatsapp_messages", "told_at")
    op.drop_table("messages")
