"""What the commands about surveys do. Composed in chatlead/routing.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatlead.realtime import commands, replies
from chatlead.realtime.endpoint import Commands
from surveys import actions, snapshot

if TYPE_CHECKING:
    from visitors.sessions import VisitorPrincipal

visitors = Commands()


@visitors.slow(commands.AskSurvey)
def ask_survey(principal: VisitorPrincipal, command: commands.AskSurvey) -> replies.SurveyOffered:
    response = actions.show_survey(principal=principal, uid=command.chat, ref=command.ref)
    survey = snapshot.survey_view(response) if response else None
    return replies.SurveyOffered(chat=command.chat, survey=survey)


@visitors.slow(commands.SendSurvey)
def send_survey(principal: VisitorPrincipal, command: commands.SendSurvey) -> None:
    actions.send_survey(principal=principal, uid=command.chat, ref=command.ref, values=command.answers)


@visitors.slow(commands.SkipSurvey)
def skip_survey(principal: VisitorPrincipal, command: commands.SkipSurvey) -> None:
    actions.skip_survey(principal=principal, uid=command.chat)
