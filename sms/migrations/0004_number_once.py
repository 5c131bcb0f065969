from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("sms", "0003_numbers_are_proved")]

    operations = [
        migrations.AddConstraint(
            "smssender",
            models.UniqueConstraint(
                fields=("number",), condition=Q(proved_at__isnull=False), name="sms_number_proved_once"
            ),
        ),
    ]
