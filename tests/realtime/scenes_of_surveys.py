"""More scenes of test_verify_actions: what is known of a chat is the same whatever becomes of a survey."""

from __future__ import annotations

from collections.abc import AsyncIterator

import surveys.actions
from chatlead.realtime import commands
from surveys import links
from surveys.forms import Asked
from surveys.models import Response, Survey
from tests.identifiers import new_ref
from tests.realtime.scenes import World, case, in_thread


async def published(world: World) -> Survey:
    asked = [Asked("score", "How did we do?")]
    return await in_thread(surveys.actions.publish_survey)(
        site=world.cast.site, department=None, title="How was it?", intro="", asked=asked
    )


@case(
    commands.AskSurvey, commands.SendSurvey, commands.SkipSurvey, surveys.actions.publish_survey,
    surveys.actions.offer_survey, surveys.actions.show_survey, surveys.actions.send_survey,
    surveys.actions.skip_survey, surveys.actions.send_by_link, surveys.actions.switch_survey,
    surveys.actions.switch_vendor_block,
)  # fmt: skip
async def vera_is_asked_and_answers(world: World) -> AsyncIterator[None]:
    survey = await published(world)
    chat = await world.active_chat()
    yield
    await world.does("vera", type="end_chat", chat=chat.uid)
    ref = new_ref()
    found = await world.does("vera", type="ask_survey", chat=chat.uid, ref=ref)
    [question] = found["survey"]["asked"]
    assert "survey" not in await world.does("vera2", type="ask_survey", chat=chat.uid, ref=new_ref())
    await world.does("vera2", type="skip_survey", chat=chat.uid)
    response = await Response.objects.aget(chat=chat)
    token = links.path_of(response.uid).split("/")[2]
    await in_thread(surveys.actions.send_by_link)(token=token, values={question["uid"]: "5"})
    answers = {question["uid"]: "1"}
    late = {"type": "send_survey", "chat": chat.uid, "ref": new_ref(), "answers": answers}
    assert (await world.lines["vera"].ask(**late))["code"] == "survey_over"
    await in_thread(lambda: surveys.actions.switch_vendor_block(account=survey.account, on=True))()
    await in_thread(surveys.actions.switch_survey)(survey=survey, on=False)
