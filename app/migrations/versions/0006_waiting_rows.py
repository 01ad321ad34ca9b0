"""indexes of deliveries that hold only the rows that are looked for through them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# name: (columns, rows)
INDEXES = {
    "ix_deliveries_due": (
        ["status", "queue", "system", "crashes", "due_at"],
        "status = 'pending' AND lease IS NULL",
    ),
    "ix_deliveries_set": (["status", "set_at"], "status = 'pending'"),
    "ix_deliveries_lane": (["lane", "status", "id"], "lane IS NOT NULL"),
}


def upgrade() -> None:
    for name, (columns, rows) in INDEXES.items():
        where = sa.text(rows)
        op.drop_index(name, "deliveries")
        op.create_index(name, "deliveries", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, (columns, _) in INDEXES.items():
        op.drop_index(name, "deliveries")
        op.create_index(name, "deliveries", columns)
