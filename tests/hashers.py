"""Argon2 as it is, but quick: a test need not cost what an attacker shall pay."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The same algorithm and format with next to no work."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
