"""Django's SQLite backend with a fair lock in front of SQLite's own write lock.

SQLite's busy handler sleeps and is unfair: one busy thread starves the others. Here the threads of a
process take turns, first come, first served, with the journal's thread before all others. Another process
(a management command) still meets the busy handler. Settings: `ENGINE = "chatlead.sqlite"`, with
`transaction_mode` IMMEDIATE, so that a transaction holds its turn from BEGIN to COMMIT; a read should
therefore not open `atomic()`.
"""

from __future__ import annotations

from chatlead.sqlite.fair_lock import FairLock, journal_first

__all__ = ["FairLock", "journal_first"]
