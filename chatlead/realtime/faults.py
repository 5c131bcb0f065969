"""How an unexpected exception is logged: what and where, never with the data of a person (R-109)."""

from __future__ import annotations

import logging
import traceback


def report(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log `error` with its place in the code. Its message is left out: databases and decoders quote rows."""
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s: %s\n%s", what, type(error).__name__, places.rstrip())
