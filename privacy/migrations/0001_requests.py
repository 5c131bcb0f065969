import django.db.models.deletion
from django.db import migrations, models

import accounts.models.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0007_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uid",
                    models.CharField(
                        default=accounts.models.ids.new_uid, editable=False, max_length=32, unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("confirm", "Is anything kept?"),
                            ("access", "A copy of everything"),
                            ("erase", "Erase everything"),
                            ("correct", "Correct something"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Not proved yet"),
                            ("verified", "Waiting"),
                            ("in_work", "In work"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                        ],
                        default="received",
                        max_length=10,
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("form", "The form on the website"),
                            ("chat", "The chat window"),
                            ("staff", "Phone, mail or letter"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "proof",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None yet"),
                            ("code", "A code that was mailed to the address"),
                            ("session", "The live chat"),
                            ("staff", "Checked by the firm"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("email", models.CharField(blank=True, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("details", models.TextField(blank=True)),
                ("reason", models.TextField(blank=True)),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("en", "English"),
                            ("es", "Spanish"),
                            ("fr", "French"),
                            ("de", "German"),
                            ("pt", "Portuguese"),
                            ("ar", "Arabic"),
                        ],
                        default="en",
                        max_length=2,
                    ),
                ),
                ("visitor_uids", models.JSONField(blank=True, default=list)),
                ("code_number", models.PositiveIntegerField(default=0)),
                ("code_until", models.DateTimeField(blank=True, null=True)),
                ("code_tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "job",
                    models.CharField(
                        blank=True,
                        choices=[("", "Nothing"), ("export", "Making the copy"), ("erase", "Erasing")],
                        default="",
                        max_length=10,
                    ),
                ),
                ("with_internal", models.BooleanField(default=False)),
                ("found", models.JSONField(blank=True, null=True)),
                ("certificate", models.JSONField(blank=True, null=True)),
                ("received_at", models.DateTimeField()),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField()),
                ("extended_at", models.DateTimeField(blank=True, null=True)),
                ("warned_at", models.DateTimeField(blank=True, null=True)),
                ("escalated_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "due_at"], name="privacy_queue"),
                    models.Index(
                        condition=models.Q(("state__in", ("received", "verified", "in_work"))),
                        fields=["due_at"],
                        name="privacy_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PrivacyExport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uid",
                    models.CharField(
                        default=accounts.models.ids.new_uid, editable=False, max_length=32, unique=True
                    ),
                ),
                ("content", models.BinaryField()),
                ("byte_count", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.account"
                    ),
                ),
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="export",
                        to="privacy.privacyrequest",
                    ),
                ),
            ],
        ),
    ]
