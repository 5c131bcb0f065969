"""What the widget loads, under /widget/v1/."""

from __future__ import annotations

from django.urls import path, re_path

from visitors import views

urlpatterns = [
    path("loader.js", views.loader, name="loader"),
    re_path(r"^loader\.(?P<version>[0-9a-f]{12})\.js$", views.loader, name="loader_version"),
    path("site/<str:key>", views.site_facts, name="site_facts"),
    path("picture/<str:uid>.png", views.picture, name="picture"),
    path("ticket", views.ticket, name="ticket"),
    path("frame", views.frame, name="frame"),
]
