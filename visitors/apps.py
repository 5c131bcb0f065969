from django.apps import AppConfig


class VisitorsConfig(AppConfig):
    name = "visitors"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Who asks for what is kept of them is answered in any process."""
        from accounts import erasure as registry
        from visitors import erasure

        registry.register(erasure.Visitors())
        registry.register(erasure.Consents())
        registry.keep(erasure.KEPT)
