"""The bounded pool of threads in which sockets use the database."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.DATABASE_THREADS, thread_name_prefix="database")


@cache
def _door() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.ADMISSION_THREADS, thread_name_prefix="door")


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in the pool and wait for it; the context goes along, the connection is given back.

    Cancelling the wait does not stop the call: it commits and publishes, and a command that is sent
    again by its `ref` finds that out.
    """
    return await _run_on(_executor(), function, *args, **kwargs)


async def run_at_door(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for those who want to come in, on threads of their own: a crowd of them keeps nobody waiting
    who is in (V-9)."""
    return await _run_on(_door(), function, *args, **kwargs)


async def _run_on(
    executor: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    context = contextvars.copy_context()

    def call() -> T:
        try:
            return context.run(function, *args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(executor, call)
