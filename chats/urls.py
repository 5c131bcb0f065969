"""Pages about chats that have ended, under /account/."""

from __future__ import annotations

from django.urls import path

from chats import views

urlpatterns = [
    path("chats/", views.ended, name="ended_chats"),
    path("chats/<uid:uid>/", views.conversation, name="conversation"),
    path("privacy/keeping/", views.keep, name="keeping"),
    path("privacy/keeping/verify/", views.verify, name="keeping_verify"),
]
