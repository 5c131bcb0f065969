"""The ledger of consents is only appended to: the database itself refuses anything else (B1-11)."""

from django.db import migrations

SQLITE = (
    """CREATE TRIGGER sms_consent_unchanged BEFORE UPDATE ON sms_smsconsent
       BEGIN SELECT RAISE(ABORT, 'the ledger of consents is append-only'); END""",
    """CREATE TRIGGER sms_consent_kept BEFORE DELETE ON sms_smsconsent
       BEGIN SELECT RAISE(ABORT, 'the ledger of consents is append-only'); END""",
)
POSTGRES = (
    """CREATE FUNCTION sms_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'the ledger of consents is append-only'; END $$""",
    """CREATE TRIGGER sms_consent_kept BEFORE UPDATE OR DELETE ON sms_smsconsent
       FOR EACH ROW EXECUTE FUNCTION sms_append_only()""",
    """CREATE TRIGGER sms_consent_never_emptied BEFORE TRUNCATE ON sms_smsconsent
       FOR EACH STATEMENT EXECUTE FUNCTION sms_append_only()""",
)


def forbid(apps, schema_editor):
    statements = POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in statements:
        schema_editor.execute(statement)


def allow(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION sms_append_only() CASCADE")
        return
    for name in ("sms_consent_unchanged", "sms_consent_kept"):
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("sms", "0001_sms")]

    operations = [migrations.RunPython(forbid, allow)]
