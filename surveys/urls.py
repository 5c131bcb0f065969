"""Under /account/surveys/."""

from __future__ import annotations

from django.urls import path

from surveys import views

urlpatterns = [
    path("", views.surveys, name="surveys"),
    path("vendor/", views.vendor, name="survey_vendor"),
    path("results/", views.show_results, name="survey_results"),
    path("results.csv", views.download, name="survey_download"),
    path("responses/<uid:uid>/", views.response, name="survey_response"),
    path("build/<uid:site>/", views.build, name="survey_build"),
    path("build/<uid:site>/<uid:department>/", views.build, name="survey_build_department"),
    path("<uid:uid>/switch/", views.switch, name="survey_switch"),
]
