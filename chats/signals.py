"""What the apps above must know at once. Sent inside the transaction; receivers write rows."""

from django.dispatch import Signal

# An open chat has ended, by whomever. Arguments: chat: Chat, as it was before; state: str, what it is now;
# at: datetime
chat_closed = Signal()
