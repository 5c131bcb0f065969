from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "sms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who hands texts over, an erasure where numbers stand, and chats whom to tell
        of what was said, in any process."""
        from accounts import erasure
        from chats import beside
        from sms import actions
        from sms.erasure import KEPT, Texts

        erasure.register(Texts())
        erasure.keep(KEPT)
        beside.FOLLOWERS.append(actions.hint)
