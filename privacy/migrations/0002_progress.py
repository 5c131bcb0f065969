"""How far the work on a request is, for its page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_requests")]

    operations = [
        migrations.AddField("privacyrequest", "job_done", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("privacyrequest", "job_total", models.PositiveSmallIntegerField(default=0)),
    ]
