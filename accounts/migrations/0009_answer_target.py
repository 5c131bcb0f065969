from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_backups"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="target_seconds",
            field=models.PositiveSmallIntegerField(default=60),
        ),
    ]
