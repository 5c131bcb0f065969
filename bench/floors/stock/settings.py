"""A Django project with nothing but the stock consumer; databases as for bench/floors/message.py."""

import os

import environ

SECRET_KEY = "only for the bench, never served to anybody"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["channels", "bench.floors.stock"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environ.Env.db_url_config(os.environ["CHATLEAD_FLOOR"])}
DATABASES["default"]["CONN_MAX_AGE"] = None
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
REDIS = os.environ.get("CHATLEAD_FLOOR_REDIS")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS], "capacity": 10_000},
    }
    if REDIS
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}
