from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Who asks for what is kept of them is answered in any process."""
        from accounts import erasure

        erasure.keep(erasure.KEPT)
