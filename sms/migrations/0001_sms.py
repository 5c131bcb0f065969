import django.db.models.deletion
from django.db import migrations, models

import accounts.models.ids
import chatlead.keys


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0006_canned_reply"),
        ("chats", "0004_transcript_request"),
    ]

    operations = [
        migrations.CreateModel(
            name="SmsLedger",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="sms_ledger",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                (
                    "head",
                    models.CharField(
                        default="0000000000000000000000000000000000000000000000000000000000000000",
                        max_length=64,
                    ),
                ),
                ("entry_count", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="SmsContact",
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
                ("number", models.CharField(blank=True, max_length=20)),
                ("number_key", models.CharField(max_length=64)),
                ("question_at", models.DateTimeField(blank=True, null=True)),
                ("help_at", models.DateTimeField(blank=True, null=True)),
                ("landline", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sms_contacts",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "number_key"), name="sms_contact_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SmsProgramme",
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
                ("name", models.CharField(max_length=60)),
                ("contact", models.CharField(max_length=120)),
                ("frequency", models.CharField(default="Message frequency varies", max_length=60)),
                ("terms_url", models.URLField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sms_programmes",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "name"), name="sms_programme_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SmsPause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sms_pauses",
                        to="accounts.account",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.operator",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="sms.smsprogramme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SmsConsent",
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
                ("position", models.BigIntegerField()),
                ("number_key", models.CharField(max_length=64)),
                ("channel", models.CharField(default="sms", max_length=12)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("service", "Service"), ("marketing", "Marketing")], max_length=10
                    ),
                ),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("granted", "Agreed"),
                            ("no_consent", "Did not agree"),
                            ("withdrawn", "Withdrew"),
                        ],
                        max_length=10,
                    ),
                ),
                ("source", models.CharField(max_length=20)),
                ("text", models.TextField(blank=True)),
                ("text_sha256", models.CharField(blank=True, max_length=64)),
                ("text_version", models.CharField(blank=True, max_length=40)),
                ("form_field", models.CharField(blank=True, max_length=60)),
                ("default_ticked", models.BooleanField(default=False)),
                ("provider_sid", models.CharField(blank=True, max_length=64)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("page_url", models.CharField(blank=True, max_length=500)),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.CharField(blank=True, max_length=400)),
                ("at", models.DateTimeField()),
                ("previous", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="accounts.account",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="consents",
                        to="sms.smsprogramme",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "number_key", "position"], name="sms_consent_of_number")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "position"), name="sms_consent_position")
                ],
            },
        ),
        migrations.CreateModel(
            name="SmsSender",
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
                    "gateway",
                    models.CharField(
                        choices=[("console", "None: written to a file"), ("twilio", "Twilio")], max_length=10
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("long_code", "Local number"),
                            ("toll_free", "Toll-free number"),
                            ("service", "Messaging service"),
                        ],
                        max_length=10,
                    ),
                ),
                ("number", models.CharField(blank=True, max_length=40)),
                ("service_sid", models.CharField(blank=True, max_length=40)),
                ("account_sid", models.CharField(blank=True, max_length=40)),
                ("auth_token", chatlead.keys.EncryptedTextField(blank=True)),
                ("shared_key_id", models.CharField(blank=True, max_length=64)),
                ("shared_key", chatlead.keys.EncryptedTextField(blank=True)),
                (
                    "answers_stop",
                    models.CharField(
                        choices=[("gateway", "The provider"), ("app", "ChatLead")],
                        default="app",
                        max_length=10,
                    ),
                ),
                ("is_registered", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sms_senders",
                        to="accounts.account",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.department",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="senders",
                        to="sms.smsprogramme",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.site"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SmsMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("chat_seq", models.BigIntegerField(blank=True, null=True)),
                (
                    "uid",
                    models.CharField(
                        default=accounts.models.ids.new_uid, editable=False, max_length=32, unique=True
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("provider_sid", models.CharField(blank=True, max_length=64, null=True)),
                ("direction", models.CharField(choices=[("in", "In"), ("out", "Out")], max_length=3)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("chat", "Chat"),
                            ("stop", "Confirmation of STOP"),
                            ("help", "Answer to HELP"),
                            ("start", "Confirmation of START"),
                            ("welcome", "Confirmation of consent"),
                            ("service", "Service"),
                            ("marketing", "Marketing"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waits"),
                            ("sending", "Is being handed over"),
                            ("accepted", "Handed over"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read"),
                            ("undelivered", "Not delivered"),
                            ("failed", "Failed"),
                            ("unknown", "Not known whether it was sent"),
                            ("cancelled", "Cancelled"),
                            ("refused", "Not sent"),
                            ("received", "Received"),
                        ],
                        max_length=12,
                    ),
                ),
                ("text", models.TextField(blank=True)),
                ("segment_count", models.PositiveSmallIntegerField(default=1)),
                ("media_count", models.PositiveSmallIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=40)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("handed_over_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="accounts.account"
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="chats.chat",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="sms.smscontact",
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="sms.smssender",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-id"], name="sms_account"),
                    models.Index(fields=["contact", "-id"], name="sms_of_contact"),
                    models.Index(
                        condition=models.Q(("state", "queued")), fields=["sender", "id"], name="sms_queued"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "key"), name="sms_key_once"),
                    models.UniqueConstraint(fields=("account", "provider_sid"), name="sms_provider_sid_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SmsSuppression",
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
                ("number_key", models.CharField(max_length=64)),
                ("our_number", models.CharField(blank=True, max_length=40)),
                ("source", models.CharField(max_length=20)),
                ("word", models.CharField(blank=True, max_length=20)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("provider_sid", models.CharField(blank=True, max_length=64)),
                ("except_programmes", models.JSONField(blank=True, default=list)),
                ("created_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="accounts.account",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="sms.smsprogramme",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=["number_key"],
                        name="sms_suppression_active",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SmsThread",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("handled_seq", models.BigIntegerField(default=0)),
                ("is_over", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="accounts.account"
                    ),
                ),
                (
                    "chat",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sms_thread",
                        to="chats.chat",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="threads",
                        to="sms.smscontact",
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sms.smssender"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_over", False)), fields=["id"], name="sms_thread_open"
                    )
                ],
            },
        ),
    ]
