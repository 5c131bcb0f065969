"""A number at a provider is a claim that is proved. Those that stand here already were first come: the first
sender of each keeps it."""

from django.db import migrations, models


def keep_the_first(apps, schema_editor):
    senders = apps.get_model("sms", "SmsSender").objects
    seen = set()
    for sender in senders.filter(gateway="twilio").exclude(number="").order_by("id"):
        is_first = sender.number not in seen
        seen.add(sender.number)
        proved_at, fault = (sender.created_at, "") if is_first else (None, "anothers")
        senders.filter(pk=sender.pk).update(proved_at=proved_at, fault=fault)


class Migration(migrations.Migration):
    dependencies = [("sms", "0002_append_only")]

    operations = [
        migrations.AddField("smssender", "proved_at", models.DateTimeField(null=True, blank=True)),
        migrations.AddField(
            "smssender",
            "fault",
            models.CharField(
                max_length=12,
                blank=True,
                default="",
                choices=[
                    ("not_listed", "The provider does not list this number in this account"),
                    ("credentials", "The provider does not accept the account SID and token"),
                    ("no_answer", "The provider did not answer; it is asked again"),
                    ("anothers", "Another sender on this server has proved this number"),
                    ("released", "Released by the staff of this server"),
                ],
            ),
            preserve_default=False,
        ),
        migrations.RunPython(keep_the_first, migrations.RunPython.noop),
    ]
