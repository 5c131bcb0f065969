import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import accounts.models


def room_for_updates(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Every message updates its chat: room on the page keeps that a heap-only update (PostgreSQL only)."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE chats_chat SET (fillfactor = 70)")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("visitors", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Chat",
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
                        default=accounts.models.new_uid, editable=False, max_length=32, unique=True
                    ),
                ),
                ("session_key", models.CharField(max_length=64)),
                ("start_ref", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("active", "Active"),
                            ("closed", "Closed"),
                            ("missed", "Missed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("last_seq", models.BigIntegerField(default=0)),
                ("last_staff_seq", models.BigIntegerField(default=0)),
                ("visitor_delivered", models.BigIntegerField(default=0)),
                ("visitor_read", models.BigIntegerField(default=0)),
                ("operator_delivered", models.BigIntegerField(default=0)),
                ("operator_read", models.BigIntegerField(default=0)),
                ("answers", models.JSONField(blank=True, default=list)),
                ("page_url", models.CharField(blank=True, max_length=2048)),
                ("started_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("last_message_at", models.DateTimeField()),
                ("visitor_seen_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="accounts.account"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="accounts.department"),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chats",
                        to="accounts.operator",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chats",
                        to="visitors.visitorsession",
                    ),
                ),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.site")),
                (
                    "visitor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chats",
                        to="visitors.visitor",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("ref", models.UUIDField()),
                (
                    "author",
                    models.CharField(
                        choices=[("visitor", "Visitor"), ("operator", "Operator"), ("system", "System")],
                        max_length=10,
                    ),
                ),
                ("author_id", models.BigIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("text", "Text"),
                            ("edit", "Edit"),
                            ("deletion", "Deletion"),
                            ("accepted", "Accepted"),
                            ("transferred", "Transferred"),
                            ("closed", "Closed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("text", models.TextField(blank=True)),
                (
                    "text_state",
                    models.CharField(
                        blank=True,
                        choices=[("", "Intact"), ("edited", "Edited"), ("deleted", "Deleted")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("target", models.BigIntegerField(blank=True, null=True)),
                ("facts", models.JSONField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.account",
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="chats.chat",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("staff_seq", models.BigIntegerField()),
                ("ref", models.UUIDField()),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.account",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="accounts.operator"
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="chats.chat",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["department", "id"], name="chat_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(
                condition=models.Q(("state", "active")), fields=["operator", "id"], name="chat_active"
            ),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(
                condition=models.Q(("state", "missed")),
                fields=["department", "-closed_at"],
                name="chat_missed",
            ),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(fields=["account", "-id"], name="chat_account"),
        ),
        migrations.AddConstraint(
            model_name="chat",
            constraint=models.UniqueConstraint(fields=("session", "start_ref"), name="chat_start_once"),
        ),
        migrations.AddConstraint(
            model_name="chat",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("waiting", "active"))),
                fields=("session",),
                name="chat_open_once",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("target__isnull", False)),
                fields=["chat", "target"],
                name="message_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("chat", "seq"), name="message_seq_once"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("chat", "author", "author_id", "ref"), name="message_ref_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(fields=("chat", "staff_seq"), name="note_seq_once"),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(fields=("chat", "author", "ref"), name="note_ref_once"),
        ),
        migrations.RunPython(room_for_updates, migrations.RunPython.noop),
    ]
