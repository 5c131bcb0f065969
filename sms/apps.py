from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "sms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox must know who hands texts over, an erasure where numbers stand, the form of a chat what
        it asks about texts, and chats whom to tell of what was said, in any process."""
        from accounts import erasure, sites
        from chats import beside
        from sms import actions, receivers, selectors  # noqa: F401
        from sms.erasure import KEPT, Texts

        sites.BOXES.append(selectors.boxes_of_sites)
        erasure.register(Texts())
        erasure.keep(KEPT)
        beside.FOLLOWERS.append(actions.hint)
