"""A visitor whose data are kept and nothing else (B2-7)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("visitors", "0003_closed_browser")]

    operations = [
        migrations.AddField(
            model_name="visitor",
            name="restricted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
