"""The one settings file, in reading order. Everything comes from the environment (docs/settings.md)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(env.str("CHATLEAD_ENV_FILE", default=str(BASE_DIR / ".env")))


def kept_secret(file: Path, size: int = 48) -> str:
    """A secret of `size` random bytes, made at first need, kept in a file that only its owner can read."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(size))
    return file.read_text().strip()


def rate(name: str, default: str) -> tuple[float, float]:
    """So many a second and so many at once, written as "5/20"."""
    a_second, _, at_once = env.str(name, default=default).partition("/")
    return float(a_second), float(at_once)


# --- What runs here -----------------------------------------------------------------------------------
ENVIRONMENT = env.str("CHATLEAD_ENV", default="development")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", default=False) and not PRODUCTION
DATA_DIR = Path(env.str("CHATLEAD_DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
SECRET_KEY = env.str("SECRET_KEY", default="") or ("" if PRODUCTION else kept_secret(DATA_DIR / "secret_key"))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
# Keys of single encrypted columns, the newest first; to be kept apart from the database's backups
FIELD_KEYS = env.list("CHATLEAD_FIELD_KEYS", default=[]) or (
    [] if PRODUCTION else [kept_secret(DATA_DIR / "field_key")]
)
DEMO_PASSWORD = env.str("CHATLEAD_DEMO_PASSWORD", default="")  # "" = random, kept in the data folder
OWN_SITE = env.str("CHATLEAD_OWN_SITE", default="")  # the key of the site of our own front page
STYLEGUIDE = DEBUG or env.bool("CHATLEAD_STYLEGUIDE", default=not PRODUCTION)  # /styleguide/
PUBLIC_URL = env.str("CHATLEAD_PUBLIC_URL", default="").rstrip("/")  # "" = as the request names it

# --- Apps ---------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "chatlead",
    "accounts",
    "visitors",
    "chats",
    "surveys",
    "sms",
    "privacy",
]
MIDDLEWARE = [
    "chatlead.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "chatlead.packing.Packing",
    "chatlead.middleware.StaticFiles",
    "chatlead.middleware.SecurityHeaders",
    "chatlead.middleware.ErrorAnswers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "chatlead.urls"
ASGI_APPLICATION = "chatlead.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database -----------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{quote(str(DATA_DIR / 'db.sqlite3'))}")
}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"] |= {
        "ENGINE": "chatlead.sqlite",  # a fair write lock in front of SQLite's own
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # temp_store: what a statement keeps for its own undoing stays in memory, half of all writes else
            "init_command": ("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"),
        },
        # a file: another process (a server under test) must see it
        "TEST": {"NAME": env.str("CHATLEAD_TEST_SQLITE", default=str(DATA_DIR / "test.sqlite3"))},
    }
else:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # a restarted PostgreSQL leaves dead connections in the pool
        "OPTIONS": {"pool": {"min_size": 2, "max_size": env.int("CHATLEAD_DB_POOL", default=12)}},
    }

# --- Files that must outlive this machine (chatlead/stores.py) ----------------------------------------------
S3_ACCESS_KEY = env.str("CHATLEAD_S3_ACCESS_KEY", default="")
S3_SECRET_KEY = env.str("CHATLEAD_S3_SECRET_KEY", default="")

# --- The archive of chats that have ended (R-118) ---------------------------------------------------------
ARCHIVE_STORE = env.str("CHATLEAD_ARCHIVE_STORE", default="") or (DATA_DIR / "archive").as_uri()
ARCHIVE_RECIPIENTS = env.list("CHATLEAD_ARCHIVE_RECIPIENTS", default=[])  # none: that of the identity
# Whoever has it can read the archive: never in the store, nor beside the backups
ARCHIVE_IDENTITY_FILE = Path(
    env.str("CHATLEAD_ARCHIVE_IDENTITY_FILE", default="")
    or ("" if PRODUCTION else str(DATA_DIR / "archive_identity"))
)
SEAL_MINUTES = env.float("CHATLEAD_SEAL_MINUTES", default=10.0)  # after the end of a chat
# --- Backups (R-116, R-117) ---------------------------------------------------------------------------------
BACKUP_STORE = env.str("CHATLEAD_BACKUP_STORE", default=(DATA_DIR / "backups").as_uri())
BACKUP_OFFSITE = env.str("CHATLEAD_BACKUP_OFFSITE", default="")
BACKUP_S3_ACCESS_KEY = env.str("CHATLEAD_BACKUP_S3_ACCESS_KEY", default="")  # "" = CHATLEAD_S3_ACCESS_KEY
BACKUP_S3_SECRET_KEY = env.str("CHATLEAD_BACKUP_S3_SECRET_KEY", default="")
# Who can read them: age recipients. Outside of production a key is made in the data folder.
BACKUP_RECIPIENTS = env.list("CHATLEAD_BACKUP_RECIPIENTS", default=[])
BACKUP_IDENTITY_FILE = env.str("CHATLEAD_BACKUP_IDENTITY_FILE", default="")  # to restore, and to prove it
BACKUP_HOUR = env.int("CHATLEAD_BACKUP_HOUR", default=3) % 24  # UTC
BACKUP_KEEP_COUNT = max(1, env.int("CHATLEAD_BACKUP_KEEP_COUNT", default=40))
BACKUP_KEEP_DAYS = min(35, max(1, env.int("CHATLEAD_BACKUP_KEEP_DAYS", default=35)))  # B2-6: 35 at most
# The user who owns the tables, where the application is another one; it also makes scratch databases
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", default="")

# --- Redis: fan-out, single-use tickets, tasks; none in the embedded default ------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
REDIS_PREFIX = env.str("CHATLEAD_REDIS_PREFIX", default="chatlead")
# What was used up stands apart from what is counted: a flood of counters must not push out a used ticket.
CACHES: dict[str, dict[str, Any]] = {
    name: {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": prefix,
        # a frozen Redis holds nobody up (V-15)
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": name,
        "OPTIONS": {"MAX_ENTRIES": most},
    }
    for name, prefix, most in (
        ("default", REDIS_PREFIX, 20_000),
        ("used", f"{REDIS_PREFIX}:used", 100_000),
    )
}

# --- Tasks --------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("CHATLEAD_BROKER_URL", default=REDIS_URL or "memory://")
CELERY_APP = "chatlead.celery.app"  # by name, as the apps below it may not import it
# A broker that is gone holds nobody up: the outbox is swept anyway (V-7).
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 1, "interval_start": 0, "socket_connect_timeout": 2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# --- People who log in ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
CSRF_FAILURE_VIEW = "chatlead.views.csrf_failure"
LOGIN_URL = "/console/login/"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "/console/login/"
LOGIN_FAILURES = env.int("CHATLEAD_LOGIN_FAILURES", default=10)  # in ten minutes (P-22)
SECURE_COOKIES = env.bool("CHATLEAD_SECURE_COOKIES", default=PRODUCTION)
SESSION_COOKIE_NAME = "__Host-cl_login" if SECURE_COOKIES else "cl_login"
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-cl_csrf" if SECURE_COOKIES else "cl_csrf"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True
DEVICE_COOKIE_NAME = "__Host-cl_device" if SECURE_COOKIES else "cl_device"
CSRF_COOKIE_AGE = None  # as long as the browser is open

# --- Who the client is (R-096) ----------------------------------------------------------------------------
# Networks of proxies that are believed; the address is the right-most hop of X-Forwarded-For outside of them.
TRUSTED_PROXIES = env.list("CHATLEAD_TRUSTED_PROXIES", default=[])

# --- Transport security -----------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = False  # the proxy in front decides; plain API calls are refused, not redirected
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None

# --- Who we are, in the privacy notice (R-033) --------------------------------------------------------------
VENDOR_NAME = env.str("CHATLEAD_VENDOR_NAME", default="ChatLead")

# --- The chat ---------------------------------------------------------------------------------------------
FRAME_MAX_BYTES = 64 * 1024  # D-3
BODY_MAX_BYTES = 1024 * 1024  # of a plain request: larger than any form of ours
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024  # of a body; the rest waits for its turn on the disk
# So many a second and so many at once, of one person over all sockets of a process (D-1)
RATES = {
    "word": rate("CHATLEAD_MESSAGES", "5/20"),  # a visitor's messages, edits and deletions
    "reply": rate("CHATLEAD_REPLIES", "20/100"),  # an operator's, notes too
    "reserve": rate("CHATLEAD_RESERVED_MESSAGES", "0.5/5"),  # of an open chat, when its site has none left
    "deed": rate("CHATLEAD_DEEDS", "5/50"),  # starting, accepting, transferring, ending …
    "look": rate("CHATLEAD_LOOKS", "20/200"),  # catching up: an honest client resumes all its chats at once
    "sign": rate("CHATLEAD_SIGNS", "50/300"),  # marks, typing, pings
    "hello": rate("CHATLEAD_HELLOS", "2/60"),
    "poll": rate("CHATLEAD_POLLS", "30/300"),  # each reads what is new
}
SITE_WORDS = rate("CHATLEAD_SITE_MESSAGES", "1000/2000")  # of all visitors of a site together
ADDRESS_HELLOS = rate("CHATLEAD_ADDRESS_HELLOS", "50/1000")  # sockets opened from one address
# Sockets and held polls at once, in each process
SOCKETS_PER_ADDRESS = env.int("CHATLEAD_SOCKETS_PER_ADDRESS", default=2000)  # an IPv4, or an IPv6 /64
SOCKETS_PER_PERSON = env.int("CHATLEAD_SOCKETS_PER_PERSON", default=100)
SOCKETS_PER_SITE = env.int("CHATLEAD_SOCKETS_PER_SITE", default=20_000)
# When all come at once (V-9): so many hellos in work, so many wait, and for so long
ADMISSIONS = env.int("CHATLEAD_ADMISSIONS", default=64)
ADMISSION_THREADS = env.int("CHATLEAD_ADMISSION_THREADS", default=2)
ADMISSION_QUEUE = env.int("CHATLEAD_ADMISSION_QUEUE", default=1000)
ADMISSION_SECONDS = env.float("CHATLEAD_ADMISSION_SECONDS", default=5.0)
# In ten minutes, by one session, from one network (/24 or /48), on one site (D-2)
STARTS = {
    "session": env.int("CHATLEAD_STARTS_PER_SESSION", default=10),
    "address": env.int("CHATLEAD_STARTS_PER_ADDRESS", default=60),
    "site": env.int("CHATLEAD_STARTS_PER_SITE", default=600),
    "worked": env.int("CHATLEAD_STARTS_WITH_WORK", default=6000),  # so many more, by browsers that did some
}
LEFT_MESSAGES = {
    "session": env.int("CHATLEAD_LEFT_PER_SESSION", default=5),
    "address": env.int("CHATLEAD_LEFT_PER_ADDRESS", default=20),
    "site": env.int("CHATLEAD_LEFT_PER_SITE", default=200),
    "worked": env.int("CHATLEAD_LEFT_WITH_WORK", default=1000),
}
TRANSCRIPTS = {  # mailed; besides, to one address
    "session": env.int("CHATLEAD_TRANSCRIPTS_PER_SESSION", default=5),
    "address": env.int("CHATLEAD_TRANSCRIPTS_PER_ADDRESS", default=20),
    "site": env.int("CHATLEAD_TRANSCRIPTS_PER_SITE", default=200),
    "worked": env.int("CHATLEAD_TRANSCRIPTS_WITH_WORK", default=1000),
    "mailbox": env.int("CHATLEAD_TRANSCRIPTS_PER_MAILBOX", default=3),
}
TRANSCRIPTS_PER_CHAT = env.int("CHATLEAD_TRANSCRIPTS_PER_CHAT", default=5)  # ever
WORK_BITS = env.int("CHATLEAD_WORK_BITS", default=16)  # zeros; a second of a phone or two
# without a sign of the visitor for less than half an hour no chat ends
ABANDONED_MINUTES = max(30.0, env.float("CHATLEAD_ABANDONED_MINUTES", default=30.0))  # a chat that waits
CHAT_GRACE_MINUTES = max(30.0, env.float("CHATLEAD_CHAT_GRACE_MINUTES", default=30.0))  # an active one
IDLE_MINUTES = max(30.0, env.float("CHATLEAD_IDLE_MINUTES", default=720.0))  # nobody has written
POSITION_SECONDS = env.float("CHATLEAD_POSITION_SECONDS", default=15.0)  # V-3: 15 to 25
# Presence (V-14): how long after the last sign of life somebody counts as there, and what follows
LEASE_SECONDS = env.float("CHATLEAD_LEASE_SECONDS", default=30.0)
RETURN_SECONDS = env.float("CHATLEAD_RETURN_SECONDS", default=50.0)  # then an operator's chats wait again
VISITOR_SECONDS = env.float("CHATLEAD_VISITOR_SECONDS", default=70.0)  # then a visitor's connection is lost
SETTLE_SECONDS = env.float("CHATLEAD_SETTLE_SECONDS", default=60.0)  # after a start nobody counts as gone
AWAY_SECONDS = env.float("CHATLEAD_AWAY_SECONDS", default=3600.0)  # gone for longer: back as Away
RIGHTS_SECONDS = env.float("CHATLEAD_RIGHTS_SECONDS", default=4.0)  # the close must come within 5 s
ALONE_SECONDS = env.float("CHATLEAD_ALONE_SECONDS", default=2.0)  # the same while Redis is away (V-15)
POLL_SECONDS = env.float("CHATLEAD_POLL_SECONDS", default=25.0)  # proxies cut what is silent for longer
SEND_QUEUE_FRAMES = env.int("CHATLEAD_SEND_QUEUE_FRAMES", default=256)  # V-8
SEND_QUEUE_BYTES = env.int("CHATLEAD_SEND_QUEUE_BYTES", default=1024 * 1024)
# Connections (D-5)
CONNECTIONS = env.int("CHATLEAD_CONNECTIONS", default=0)  # 0: as many as the system's open files allow
DAWDLERS_PER_ADDRESS = env.int("CHATLEAD_DAWDLERS_PER_ADDRESS", default=200)  # half a request, or idle
HEAD_SECONDS = env.float("CHATLEAD_HEAD_SECONDS", default=10.0)  # for the head of a request
BODY_SECONDS = env.float(
    "CHATLEAD_BODY_SECONDS", default=60.0
)  # for its body: at least 17 KB/s for the largest
READER_SECONDS = env.float(
    "CHATLEAD_READER_SECONDS", default=30.0
)  # whoever takes nothing of an answer so long
HELLO_SECONDS = env.float("CHATLEAD_HELLO_SECONDS", default=5.0)  # for the first frame of a socket
PING_SECONDS = env.float("CHATLEAD_PING_SECONDS", default=45.0)  # NATs forget a silent line after 60 s
PONG_SECONDS = env.float("CHATLEAD_PONG_SECONDS", default=30.0)  # without an answer the line is dead
DATABASE_THREADS = env.int("CHATLEAD_DATABASE_THREADS", default=4)
LEAVE_SECONDS = env.float("CHATLEAD_LEAVE_SECONDS", default=2.0 if PRODUCTION else 0.0)  # unready, then deaf
DRAIN_SECONDS = env.float("CHATLEAD_DRAIN_SECONDS", default=3.0)  # sockets are told to come back over this

# --- Privacy requests and what must stay erased (B2-6) ---------------------------------------
TOMBSTONES = env.str("CHATLEAD_TOMBSTONES", default=(DATA_DIR / "tombstones").as_uri())  # never in a backup
PRIVACY_DAYS = env.int("CHATLEAD_PRIVACY_DAYS", default=30)  # until an answer is due
PRIVACY_WARN_DAYS = env.int("CHATLEAD_PRIVACY_WARN_DAYS", default=5)  # before that
PRIVACY_EXPORT_DAYS = env.int("CHATLEAD_PRIVACY_EXPORT_DAYS", default=7)  # a copy can be fetched
PRIVACY_CODE_MINUTES = env.int("CHATLEAD_PRIVACY_CODE_MINUTES", default=30)  # a mailed code is good
PRIVACY_FORMS = {  # in ten minutes
    "address": env.int("CHATLEAD_PRIVACY_FORMS_PER_ADDRESS", default=20),
    "mailbox": env.int("CHATLEAD_PRIVACY_FORMS_PER_MAILBOX", default=3),
}
PRIVACY_CODES = {  # mailed in a day
    "address": env.int("CHATLEAD_PRIVACY_CODES_PER_ADDRESS", default=100),
    "mailbox": env.int("CHATLEAD_PRIVACY_CODES_PER_MAILBOX", default=10),
}

# --- Mail -------------------------------------------------------------------------------------------------
# into files, not onto the screen: what a server prints is kept as a log
vars().update(env.email_url("EMAIL_URL", default="filemail://"))
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("CHATLEAD_FROM_EMAIL", default="ChatLead <chatlead@localhost>")
EMAIL_TIMEOUT = 20

# --- SMS ------------------------------------------------------------------------------------------------
# Numbers are known by a hash under this key when they may be known no longer; never changed
SMS_HASH_KEY = env.str("CHATLEAD_SMS_HASH_KEY", default="") or (
    "" if PRODUCTION else kept_secret(DATA_DIR / "sms_hash_key")
)
SMS_OFF = env.bool("CHATLEAD_SMS_OFF", default=False)  # the kill switch over all accounts
SMS_REVOKE_SCOPE = env.str("CHATLEAD_SMS_REVOKE_SCOPE", default="tenant")  # or "programme" (B1-7)
SMS_FILE = DATA_DIR / "sms" / "sent.log"  # of the gateway "console"
TWILIO_URL = env.str("CHATLEAD_TWILIO_URL", default="https://api.twilio.com")
if PRODUCTION and TWILIO_URL != "https://api.twilio.com":
    raise ImproperlyConfigured("CHATLEAD_TWILIO_URL is for tests: production sends to the provider only.")
if SMS_REVOKE_SCOPE not in ("tenant", "programme"):
    raise ImproperlyConfigured("CHATLEAD_SMS_REVOKE_SCOPE is tenant or programme.")

# --- Files, language, time --------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = None  # nothing to collect: WhiteNoise serves from where the files are
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# --- Who may read /metrics --------------------------------------------------------------------------------
METRICS_NETWORKS = env.list("CHATLEAD_METRICS_NETWORKS", default=[])
METRICS_TOKEN = env.str("CHATLEAD_METRICS_TOKEN", default="")

# --- Logs: never a personal datum (R-109) -------------------------------------------------------------------
LOG_FORMAT = env.str("CHATLEAD_LOG_FORMAT", default="json" if PRODUCTION else "plain")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "chatlead.logs.Discreet"},
        "json": {"()": "chatlead.logs.JsonLines"},
    },
    "handlers": {"console": {"class": "chatlead.logs.Gathering", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("CHATLEAD_LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},  # two lines a task otherwise
        "kombu": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},  # it would write addresses with numbers in them
        "chatlead.access": {"level": "INFO" if env.bool("CHATLEAD_ACCESS_LOG", default=True) else "WARNING"},
    },
}
