"""A process that says one thing after the other in a chat: `python -m tests.vault.talk`, until it is killed.

Prints `w1`, `w2`, … as each is committed, flushed, so that whoever killed it knows what it had promised.
"""

from __future__ import annotations


def main() -> None:
    import django

    django.setup()
    from django.db import transaction

    from accounts.models import Department, Site
    from chats import journal
    from tests.conftest import make_chat, visitor_on
    from tests.identifiers import new_ref

    site = Site.objects.order_by("pk").first()
    assert site is not None
    department = Department.objects.filter(account_id=site.account_id).order_by("pk").first()
    assert department is not None
    chat = make_chat(visitor_on(site), department)
    number = 0
    while True:
        number += 1
        entry = journal.Entry(
            chat_id=chat.pk, account_id=chat.account_id, author="visitor", session_key=chat.session_key,
            ref=new_ref(), kind="text", text=f"w{number}",
        )  # fmt: skip
        with transaction.atomic():
            journal.append([entry])
        print(f"w{number}", flush=True)


if __name__ == "__main__":
    main()
