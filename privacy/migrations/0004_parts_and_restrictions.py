"""A copy lies in parts, so that nobody needs room for all of it; and a request may be to restrict (B2-7)."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from chatlead.keys import decrypted, encrypted_bytes

PIECE = 512 * 1024


def cut(apps: Any, schema_editor: Any) -> None:
    """Copies that wait to be fetched are encrypted again, piece by piece."""
    Export = apps.get_model("privacy", "PrivacyExport")
    Part = apps.get_model("privacy", "PrivacyExportPart")
    for pk in list(Export.objects.values_list("pk", flat=True)):
        copy = Export.objects.get(pk=pk)
        content = bytes.fromhex(decrypted(bytes(copy.content).decode()))
        for number, begin in enumerate(range(0, len(content), PIECE)):
            Part.objects.create(
                account_id=copy.account_id,
                export_id=pk,
                number=number,
                content=encrypted_bytes(content[begin : begin + PIECE]),
            )
        Export.objects.filter(pk=pk).update(byte_count=len(content))


class Migration(migrations.Migration):
    dependencies = [("privacy", "0003_proof_links")]

    operations = [
        migrations.AlterField(
            model_name="privacyrequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("confirm", "Is anything kept?"),
                    ("access", "A copy of everything"),
                    ("erase", "Erase everything"),
                    ("correct", "Correct something"),
                    ("restrict", "Keep everything, and do nothing with it"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="privacyrequest",
            name="restricted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="privacyrequest",
            name="lifted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="PrivacyExportPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
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
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="privacy.privacyexport",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("export", "number"), name="privacy_export_part_once")
                ],
            },
        ),
        migrations.RunPython(cut, migrations.RunPython.noop),
        migrations.RemoveField(model_name="privacyexport", name="content"),
    ]
