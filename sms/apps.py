from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "sms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who hands texts over, in any process."""
        from sms import actions  # noqa: F401
