"""What the apps above must know at once. Sent inside the transaction; receivers write rows."""

from django.dispatch import Signal

# An operator may not answer any more: in no chat (`department_ids` None), or in none of these departments.
# Arguments: operator_id: int, department_ids: frozenset[int] | None
operator_withdrawn = Signal()
