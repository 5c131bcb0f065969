"""Addresses of text messages: webhooks, the page where people agree, and the account's pages."""

from __future__ import annotations

from django.urls import path

from sms.views import webhooks

urlpatterns = [
    path("webhooks/twilio/<str:key>/inbound/", webhooks.inbound, name="sms_inbound"),
    path("webhooks/twilio/<str:key>/status/<str:uid>/", webhooks.status, name="sms_status"),
]
