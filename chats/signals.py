"""What the apps above must know at once. Sent inside the transaction; receivers write rows."""

from django.dispatch import Signal

# An open chat has ended, by whomever. Arguments: chat: Chat, as it was before; state: str, what it is now;
# at: datetime
chat_closed = Signal()

# A chat was begun by a form. Arguments: chat: Chat; boxes: Sequence[str], the names of those that apps above
# have put into the form (`accounts.sites.BOXES`), at least one; ticked: Sequence[str], of these
chat_begun = Signal()
