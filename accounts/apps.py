from django.apps import AppConfig
from django.urls import register_converter


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Who asks for what is kept of them is answered in any process; and every app's routes know a uid."""
        from accounts import erasure
        from accounts.models.ids import UidInPath

        register_converter(UidInPath, "uid")
        erasure.keep(erasure.KEPT)
