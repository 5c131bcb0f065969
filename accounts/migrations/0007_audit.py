"""What was done by whom, and the chain over it. The database itself refuses to change or delete a row.

Whoever alters one of these tables on SQLite makes its triggers anew: Django copies a table to alter it.
"""

from django.db import migrations, models

TABLES = ("accounts_auditentry", "accounts_auditlink")


def refuse_changes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION chatlead_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME; END $$",
            params=None,
        )
    for table in TABLES:
        for statement in _triggers(table, schema_editor.connection.vendor):
            schema_editor.execute(statement, params=None)


def _triggers(table, vendor):
    if vendor == "postgresql":
        return [
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION chatlead_append_only()",
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION chatlead_append_only()",
        ]
    return [
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only added'); END"
        for event in ("UPDATE", "DELETE")
    ]


def allow_changes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION chatlead_append_only() CASCADE", params=None)
        return
    for table in TABLES:
        for event in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {table}_{event}", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_canned_reply"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.CharField(max_length=60)),
                (
                    "actor",
                    models.CharField(
                        choices=[("operator", "Operator"), ("user", "User"), ("service", "Service")],
                        max_length=10,
                    ),
                ),
                ("actor_uid", models.CharField(blank=True, max_length=32)),
                ("subject", models.CharField(blank=True, max_length=100)),
                ("facts", models.JSONField(blank=True, default=dict)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.deletion.DO_NOTHING,
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-id"], name="audit_account")],
            },
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.BigIntegerField(unique=True)),
                ("entry_id", models.BigIntegerField(unique=True)),
                ("sha256", models.CharField(max_length=64)),
            ],
        ),
        migrations.RunPython(refuse_changes, allow_changes),
    ]
