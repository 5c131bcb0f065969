from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who sends our mails, and the accounts who gives chats back, in any process."""
        from accounts import erasure
        from chats import mails, receivers  # noqa: F401
        from chats.archived import ArchivedChats

        erasure.register(ArchivedChats())
