from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "sms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who hands texts over, and an erasure where numbers stand, in any process."""
        from accounts import erasure
        from sms import actions  # noqa: F401
        from sms.erasure import KEPT, Texts

        erasure.register(Texts())
        erasure.keep(KEPT)
