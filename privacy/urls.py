"""Pages of requests, for who asks and for who answers."""

from django.urls import path

from privacy.views import account, audit, holds, public

urlpatterns = [
    path("privacy/proof/<str:token>/", public.prove_by_link, name="privacy_proof"),
    path("privacy/requests/", public.ask, name="privacy_ask"),
    path("privacy/requests/<str:uid>/", public.asked, name="privacy_asked"),
    path("privacy/requests/<str:uid>/code/", public.another_code, name="privacy_code"),
    path("privacy/requests/<str:uid>/copy/", public.fetch, name="privacy_fetch"),
    path("account/audit/", audit.entries, name="audit"),
    path("account/audit/audit.csv", audit.table, name="audit_table"),
    path("account/privacy/", account.queue, name="privacy"),
    path("account/privacy/search/", account.search, name="privacy_search"),
    path("account/privacy/holds/", holds.every, name="privacy_holds"),
    path("account/privacy/holds/new/", holds.new, name="privacy_hold_new"),
    path("account/privacy/holds/<uid:uid>/", holds.one, name="privacy_hold"),
    path("account/privacy/requests/<uid:uid>/", account.one, name="privacy_request"),
    path("account/privacy/requests/<uid:uid>/do/", account.do, name="privacy_do"),
    path("account/privacy/requests/<uid:uid>/copy/", account.download, name="privacy_download"),
    path(
        "account/privacy/requests/<uid:uid>/certificate.json", account.certificate, name="privacy_certificate"
    ),
]
