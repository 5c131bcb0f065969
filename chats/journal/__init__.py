"""The journal: the only writer of the two logs of a chat, with one meaning and two doors.

`submit` is for sockets (a writer thread, many messages a commit), `append` for everything else (inside the
caller's transaction). Both check in this order: known `ref` -> its old place, even in a closed chat; right
-> refused; chat not open -> closed; target of an edit or deletion -> no_target; then the row gets the next
number. A visitor with another session is refused before anything else. Both logs are gapless from 1
(R-035): numbers are dealt out under the lock of the chat's row, and a row that is not written takes none.
"""

from chats.journal.doors import append, depth, stop, submit
from chats.journal.entries import Entry, Outcome, topics_of

__all__ = ["Entry", "Outcome", "append", "depth", "stop", "submit", "topics_of"]
