"""Serves everything in one process: pages, sockets, and with the broker `memory://` the tasks too."""

from __future__ import annotations

import os
import socket
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from chatlead.standby import standby


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # a second start is to be quick; `dev.py test lint` checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fd", type=int, metavar="N", help="serve the listening socket N instead")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
        parser.add_argument("--demo", action="store_true", help="make the demo, once, and print its log-ins")
        parser.add_argument("--workers-off", action="store_true", help="no tasks in this process")

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(0o077)  # the database and the mails of a copy without servers are files, and nobody else's
        allow_many_sockets()
        if options["migrate"] or options["demo"]:
            standby.wait_for_share()
        if options["migrate"]:
            migrate()
        listener = self.listen(options)
        if options["demo"]:
            call_command("demo", skip_checks=True)
        connections.close_all()

        from chatlead import logs
        from chatlead.server import Server, config

        stop = threading.Event()
        tasks: list[threading.Thread] = []

        def ready() -> None:
            self.announce(listener)
            if settings.CELERY_BROKER_URL.startswith("memory://") and not options["workers_off"]:
                start = threading.Thread(target=start_tasks, args=(stop, tasks), name="celery-start")
                start.start()
                tasks.append(start)

        logs.catch_the_rest()
        server = Server(config(), ready)
        try:
            server.run(sockets=[listener])
        finally:
            stop.set()
            for thread in tasks:
                thread.join(5)
        if not server.started:
            raise CommandError("the server did not start")

    def listen(self, options: dict[str, Any]) -> socket.socket:
        """The socket to serve. Raises CommandError where it is taken."""
        if options["fd"] is not None:
            return socket.socket(fileno=options["fd"])
        host, port = options["host"].strip("[]"), options["port"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise CommandError(f"{host}:{port} cannot be served: {error.strerror}") from error
        listener.listen(2048)
        return listener

    def announce(self, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        name = f"[{host}]" if ":" in host else host
        base = settings.PUBLIC_URL or f"http://{name}:{port}"
        self.stdout.write(f"ChatLead is ready: {base}/  console {base}/console/  demo website {base}/demo/")
        self.stdout.flush()


def migrate() -> None:
    """`migrate`, but only where something is to be done: looking costs less than doing nothing."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)


def start_tasks(stop: threading.Event, tasks: list[threading.Thread]) -> None:
    """Celery is slow to import, so it starts beside a server that answers already."""
    from chatlead.celery import start_embedded

    if not stop.is_set():
        tasks.extend(start_embedded(stop))


def allow_many_sockets() -> None:
    """Each socket is an open file, and the usual limit is 1,024."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
