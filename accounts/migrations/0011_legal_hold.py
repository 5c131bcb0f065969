import django.db.models.deletion
from django.db import migrations, models

import accounts.models.ids
import chatlead.keys


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_archived_files_beside_backups"),
    ]

    operations = [
        migrations.CreateModel(
            name="LegalHold",
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
                ("visitors", models.JSONField(default=list)),
                ("reason", chatlead.keys.EncryptedTextField(blank=True)),
                ("placed_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("waiting", models.JSONField(blank=True, default=list)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.operator",
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.operator",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "placed_at"], name="legal_hold_placed")],
            },
        ),
    ]
