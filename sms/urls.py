"""Addresses of text messages: webhooks, the page where people agree, and the account's pages."""

from __future__ import annotations

from django.urls import path

from sms.views import consent, consents, pages, webhooks

urlpatterns = [
    path("webhooks/twilio/<str:key>/inbound/", webhooks.inbound, name="sms_inbound"),
    path("webhooks/twilio/<str:key>/status/<str:uid>/", webhooks.status, name="sms_status"),
    path("sms/<str:key>/", consent.consent, name="sms_consent"),
    path("account/sms/", pages.overview, name="sms"),
    path("account/sms/programme/", pages.programme, name="sms_programme"),
    path("account/sms/senders/new/", pages.sender, name="sms_sender_new"),
    path("account/sms/senders/<uid:uid>/", pages.sender, name="sms_sender"),
    path("account/sms/form/", pages.form, name="sms_form"),
    path("account/sms/senders/<uid:uid>/prove/", pages.prove, name="sms_prove"),
    path("account/sms/yes/", pages.yes, name="sms_yes"),
    path("account/sms/switch/", pages.switch, name="sms_switch"),
    path("account/sms/messages/", pages.texts, name="sms_messages"),
    path("account/sms/consents/", consents.consents, name="sms_consents"),
    path("account/sms/consents.csv", consents.download, name="sms_consents_csv"),
    path("account/sms/blocked/", pages.blocked, name="sms_blocked"),
    path("account/sms/number/", pages.number, name="sms_number"),
    path("account/sms/numbers/<uid:uid>/", pages.one, name="sms_history"),
]
