from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who sends our mails, and the accounts who gives chats back, and who asks
        for what is kept of them is answered, in any process."""
        from accounts import erasure as registry
        from chats import erasure, mails, receivers  # noqa: F401
        from chats.archived import ArchivedChats, ArchivedNotes

        own = (erasure.Chats(), erasure.Notes(), erasure.TranscriptRequests())
        for kind in (*own, ArchivedChats(), ArchivedNotes()):
            registry.register(kind)
        registry.keep(erasure.KEPT)
