from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who carries out what was asked for, in any process."""
        from accounts import erasure as registry
        from chats import beside
        from privacy import erasure, mails, tasks  # noqa: F401
        from privacy.views.holds import beside_transcript

        beside.PARTS.append(beside_transcript)

        for kind in (erasure.Exports(), erasure.Requests(), erasure.LegalHolds()):
            registry.register(kind)
