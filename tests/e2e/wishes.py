"""What the demo firm wants of its widget, as staff would change it. Imports no pytest."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from tests.servers import Server

FIRM = "Harbor & Lane"
AS_IT_COMES = {
    "corner": "end", "offset_side": 20, "offset_bottom": 20, "welcome": "How can we help?", "offline": "",
    "greeting": "", "greeting_after": 10, "language": "", "picture_id": None,
}  # fmt: skip


class Settings:
    """The demo firm's site; called with columns and what they are to be."""

    def __init__(self, server: Server) -> None:
        self.file = server.data_dir / "db.sqlite3"

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.file, timeout=20)) as database, database:
            return database.execute(statement, values).fetchall()

    def __call__(self, **columns: Any) -> None:
        said = ", ".join(f"{name} = ?" for name in columns)
        self.run(f"UPDATE accounts_site SET {said} WHERE name = ?", *columns.values(), FIRM)

    def faces(self, firm: bytes, olga: bytes) -> None:
        """Gives the firm and olga these pictures, both PNG as the server would have written them."""
        ((account,),) = self.run("SELECT account_id FROM accounts_site WHERE name = ?", FIRM)
        for uid, png in (("f" * 22, firm), ("o" * 22, olga)):
            self.run(
                "INSERT INTO accounts_picture (account_id, uid, png, created_at)"
                " VALUES (?, ?, ?, datetime('now')) ON CONFLICT DO NOTHING",
                account, uid, png,
            )  # fmt: skip
        of = "(SELECT id FROM accounts_picture WHERE uid = ?)"
        self.run(f"UPDATE accounts_site SET picture_id = {of} WHERE name = ?", "f" * 22, FIRM)
        self.run(f"UPDATE accounts_operator SET picture_id = {of} WHERE name = 'Olga'", "o" * 22)

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """Afterwards the site is as it came."""
        ((fields,),) = self.run("SELECT fields FROM accounts_site WHERE name = ?", FIRM)
        try:
            yield
        finally:
            self(**AS_IT_COMES, fields=fields)
            self.run("UPDATE accounts_operator SET picture_id = NULL")
