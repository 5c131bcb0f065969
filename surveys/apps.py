from django.apps import AppConfig


class SurveysConfig(AppConfig):
    name = "surveys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """In any process in which a chat may end its visitor is offered a survey, and what she answers can be
        erased."""
        from accounts import erasure
        from chats import beside
        from surveys import receivers, selectors  # noqa: F401
        from surveys.erasure import SurveyAnswers
        from surveys.views import beside_transcript

        erasure.register(SurveyAnswers())
        beside.INVITATIONS.append(selectors.invitation_of)
        beside.PARTS.append(beside_transcript)
