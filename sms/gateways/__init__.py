"""Who carries texts: one module each, all with the face of `base.Gateway`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sms.gateways.base import Busy, Gateway, Handed, Refused, Unclear

if TYPE_CHECKING:
    from sms.models import SmsSender

__all__ = ["Busy", "Gateway", "Handed", "Refused", "Unclear", "gateway_of"]


def gateway_of(sender: SmsSender) -> Gateway:
    """The way out of this sender's texts."""
    if sender.gateway == sender.Gateway.TWILIO:
        from sms.gateways.twilio import Twilio  # httpx is slow to import

        return Twilio()
    from sms.gateways.console import Console

    return Console()
