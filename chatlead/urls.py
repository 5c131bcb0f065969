"""The only list of url prefixes."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from chatlead import account, console, views
from chatlead.backups.views import backups
from surveys.views import by_link
from visitors.views import hosted

urlpatterns = [
    path("", views.home, name="home"),
    path("demo/", views.demo, name="demo"),
    path("demo/<slug:page>/", views.demo, name="demo_page"),
    path("chat/<str:key>/", hosted, name="hosted"),
    path("styleguide/", views.styleguide, name="styleguide"),
    path("console/", console.shell, name="console"),
    path("console/manifest.webmanifest", console.manifest, name="console_manifest"),
    path("console/worker.js", console.worker, name="console_worker"),
    path("console/offline/", console.offline, name="console_offline"),
    path("console/", include("accounts.urls")),
    path("account/", account.overview, name="account"),
    path("account/answering/", account.answering, name="answering"),
    path("account/", include("chats.urls")),
    path("account/surveys/", include("surveys.urls")),
    path("survey/<str:token>/", by_link, name="survey_by_link"),
    path("widget/v1/", include("visitors.urls")),
    path("", include("sms.urls")),
    path("", include("privacy.urls")),
    path("admin/backups/", admin.site.admin_view(backups), name="backups"),
    path("admin/", admin.site.urls),
]
handler400 = "chatlead.views.bad_request"
handler403 = "chatlead.views.permission_denied"
handler404 = "chatlead.views.page_not_found"
handler500 = "chatlead.views.server_error"
