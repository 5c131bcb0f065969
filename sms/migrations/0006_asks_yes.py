from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sms", "0005_form_boxes"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="smscontact",
            name="question_at",
        ),
        migrations.AddField(
            model_name="smsprogramme",
            name="asks_yes",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="smsconsent",
            name="deed",
            field=models.CharField(
                choices=[
                    ("granted", "Agreed"),
                    ("pending", "Agreed, and was asked for a YES"),
                    ("no_consent", "Did not agree"),
                    ("withdrawn", "Withdrew"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="smsmessage",
            name="kind",
            field=models.CharField(
                choices=[
                    ("chat", "Chat"),
                    ("stop", "Confirmation of STOP"),
                    ("help", "Answer to HELP"),
                    ("start", "Confirmation of START"),
                    ("welcome", "Confirmation of consent"),
                    ("question", "Asks for a YES"),
                    ("service", "Service"),
                    ("marketing", "Marketing"),
                ],
                max_length=10,
            ),
        ),
    ]
