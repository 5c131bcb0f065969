"""The tests of the handshake and of other tenants once more, without a socket: the same rules, by polls."""

from __future__ import annotations

import pytest

from tests import sockets
from tests.polls import PollLine
from tests.security import test_handshake as handshake
from tests.security import test_other_tenants as tenants

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line is a line of polls."""
    monkeypatch.setattr(sockets, "Line", PollLine)


acmes, nobodys, talk = tenants.acmes, tenants.nobodys, tenants.talk
test_what_is_not_theirs_is_not_there = tenants.test_what_is_not_theirs_is_not_there
test_the_attacks_work_for_those_who_may = tenants.test_the_attacks_work_for_those_who_may

test_a_page_that_is_none_of_the_sites_is_refused = handshake.test_a_page_that_is_none_of_the_sites_is_refused
test_a_page_of_the_site_is_let_in = handshake.test_a_page_of_the_site_is_let_in
test_the_frame_and_the_console_come_from_our_own_origin_only = (
    handshake.test_the_frame_and_the_console_come_from_our_own_origin_only
)
test_two_origins_are_none = handshake.test_two_origins_are_none
test_a_ticket_is_good_once = handshake.test_a_ticket_is_good_once
test_a_ticket_of_one_page_lets_no_other_in = handshake.test_a_ticket_of_one_page_lets_no_other_in
test_a_ticket_lasts_a_minute = handshake.test_a_ticket_lasts_a_minute
test_a_forged_ticket_is_refused = handshake.test_a_forged_ticket_is_refused
test_a_token_in_the_address_opens_nothing = handshake.test_a_token_in_the_address_opens_nothing
test_a_console_needs_a_log_in_that_lives = handshake.test_a_console_needs_a_log_in_that_lives
test_a_changed_password_ends_the_old_log_ins = handshake.test_a_changed_password_ends_the_old_log_ins
test_a_site_that_is_not_there_or_is_disabled_is_not_found = (
    handshake.test_a_site_that_is_not_there_or_is_disabled_is_not_found
)
test_another_version_of_the_protocol_is_told_so = handshake.test_another_version_of_the_protocol_is_told_so
test_eve_is_let_into_her_own_account_only = handshake.test_eve_is_let_into_her_own_account_only
