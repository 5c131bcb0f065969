"""What a browser is shown of a survey."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chatlead.realtime.shapes import QuestionView, SurveyView
from surveys import answers, links, selectors

if TYPE_CHECKING:
    from typing import Literal

    from surveys.models import Response

    Kind = Literal["score", "choice", "text", "email", "phone", "zip", "age", "income"]


def survey_view(response: Response) -> SurveyView:
    """The version that was offered, with its questions in their order."""
    return SurveyView(
        title=response.version.title,
        intro=response.version.intro,
        asked=[
            QuestionView(
                uid=each.uid,
                kind=cast("Kind", each.kind),
                label=each.label,
                options=answers.options_of(each),
            )
            for each in selectors.questions_of(response.version)
        ],
        link=links.path_of(response.uid),
    )
