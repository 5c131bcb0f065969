from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who carries out what was asked for, in any process."""
        from accounts import erasure as registry
        from privacy import erasure, mails, tasks  # noqa: F401

        for kind in (erasure.Exports(), erasure.Requests()):
            registry.register(kind)
