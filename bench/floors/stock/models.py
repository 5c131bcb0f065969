"""The least that numbers messages."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Chat(models.Model):
    last_seq = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(auto_now=True)
    objects: ClassVar[models.Manager[Chat]] = models.Manager()

    class Meta:
        app_label = "stock"


class Message(models.Model):
    chat = models.ForeignKey(Chat, models.CASCADE)
    seq = models.BigIntegerField()
    ref = models.UUIDField()
    author = models.TextField()
    body = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar[models.Manager[Message]] = models.Manager()

    class Meta:
        app_label = "stock"
        unique_together = (("chat", "seq"), ("chat", "ref"))
