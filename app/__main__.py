"""The entry point of the image: `python -m app COMMAND`.

Each command imports lazily what it needs: `drain`, the preStop hook, must start at once.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from uuid import UUID

from app.bootstrap.services import ALL, CHOICES, SERVICES


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m app", description="The PrimeTrade Task Manager.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the server")
    serve.add_argument("--service", choices=CHOICES, default=ALL, help="which service to run (default: all)")
    migrate = commands.add_parser("migrate", help="migrate the database to the schema of this version")
    migrate.add_argument(
        "--service", choices=CHOICES, default=ALL, help="service whose schema to migrate (default: all)"
    )

    carry = commands.add_parser("carry", help="copy a SQLite database to PostgreSQL while it is in use")
    carry.add_argument("file", type=Path, help="the SQLite database")
    carry.add_argument("--to", required=True, metavar="ADDRESS", help="http://host:port of the servers that take over")
    carry.add_argument("--patience", type=float, default=120, help="seconds to wait for them (default: 120)")

    split = commands.add_parser("split-database", help="move a service's tables to a database of its own, step by step")
    moves = split.add_subparsers(dest="step", required=True, metavar="STEP")
    for step, what in (
        ("prepare", "make the publication and the replication slot"),
        ("wait", "wait until the copy has caught up"),
        ("switch", "refuse writes for a moment, compare, and let the service's own database take over"),
        ("revert", "undo `prepare`, before the switch"),
        ("remove", "drop the former tables, after the switch"),
    ):
        move = moves.add_parser(step, help=what)
        move.add_argument("--service", choices=SERVICES, required=True, help="the service that moves")
        if step == "switch":
            move.add_argument(
                "--to", dest="address", required=True, metavar="ADDRESS", help="http://host:port of its servers"
            )
        if step in ("wait", "switch"):
            move.add_argument("--patience", type=float, default=600, help="seconds to wait (default: 600)")

    worker = commands.add_parser("worker", help="run queued jobs (with APP_JOBS=celery)")
    beat = commands.add_parser("beat", help="run the scheduler and background loops (with APP_JOBS=celery)")
    queues = commands.add_parser("declare-queues", help="declare the queues of events in RabbitMQ")
    for command, what in ((worker, "jobs to run"), (beat, "loops to run"), (queues, "queue to declare")):
        command.add_argument("--service", choices=CHOICES, default=ALL, help=f"service whose {what} (default: all)")

    broker = commands.add_parser("configure-broker", help="make users, permissions and queues of services in RabbitMQ")
    broker.add_argument("--host", required=True, help="its host")
    broker.add_argument("--port", type=int, default=5671, help="port of AMQP over TLS (default: 5671)")
    broker.add_argument(
        "--management-port", type=int, default=15671, help="port of the management API over TLS (default: 15671)"
    )
    broker.add_argument("--ca-file", type=Path, required=True, help="certificates that RabbitMQ's is verified by")
    broker.add_argument("--user", required=True, help="an administrator")
    broker.add_argument("--password-file", type=Path, required=True, help="file with the administrator's password")
    broker.add_argument(
        "--service",
        dest="users",
        required=True,
        action="append",
        type=_pair,
        metavar="SERVICE=FILE",
        help="a service, and the file with its password; may be repeated",
    )

    commands.add_parser("mail-verification-links", help="mail a link to every account with an unverified address")
    grant = commands.add_parser("grant-admin", help="make an account an administrator")
    grant.add_argument("email", help="the e-mail address of the account")

    letters = commands.add_parser("dead-letters", help="list or requeue dead-lettered jobs and events")
    actions = letters.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the latest thousand")
    revival = actions.add_parser("revive", help="requeue dead letters")
    revival.add_argument("ids", metavar="ID", type=UUID, nargs="*", help="id of a job, an event or a message")
    for action in (listing, revival):
        action.add_argument("--kind", help="kind of job, or name of an event consumer or of a service's queue")
        action.add_argument("--service", choices=CHOICES, default=ALL, help="whose queue to look at (default: all)")
        action.add_argument("--json", action="store_true", help="print JSON")

    restart = commands.add_parser("restart-changed", help="roll Deployments out anew whose Secrets have changed")
    restart.add_argument(
        "--deployment",
        required=True,
        action="append",
        type=_pair,
        metavar="DEPLOYMENT=SECRET",
        help="a Deployment and a Secret of its; may be repeated",
    )
    restart.add_argument("--namespace", help="by default that of this pod")

    secret = commands.add_parser("ensure-secret", help="create a Kubernetes Secret with random values if it is missing")
    secret.add_argument("--name", required=True, help="name of the Secret")
    secret.add_argument("--key", required=True, action="append", help="a key it must have; may be repeated")
    secret.add_argument(
        "--value",
        default=[],
        action="append",
        type=_pair,
        metavar="KEY=VALUE",
        help="further value, not secret; may be repeated",
    )
    secret.add_argument("--namespace", help="its namespace (default: that of this pod)")

    certificate = commands.add_parser("ensure-certificate", help="create a TLS Secret if it is missing")
    certificate.add_argument("--name", required=True, help="name of the Secret")
    certificate.add_argument("--host", required=True, action="append", help="a name or address; may be repeated")
    certificate.add_argument(
        "--authority", action="store_true", help="let an authority in the same Secret sign it, instead of itself"
    )
    certificate.add_argument("--namespace", help="its namespace (default: that of this pod)")

    shape = commands.add_parser("shape-cache", help="form a Redis Cluster of the cache's servers, or add shards to it")
    shape.add_argument("--server", required=True, action="append", help="host:port of a server; may be repeated")
    shape.add_argument("--shards", required=True, type=int, help="number of masters; the other servers are replicas")
    shape.add_argument("--user", default="default", help="user that may change the cluster (default: default)")
    shape.add_argument("--password-file", type=Path, help="file with that user's password")

    spread = commands.add_parser("spread-cache", help="keep the cache's masters apart, over nodes and zones")
    spread.add_argument(
        "--server", dest="addresses", required=True, action="append", help="host:port of a server; may be repeated"
    )
    spread.add_argument("--user", default="default", help="user that may change the cluster (default: default)")
    spread.add_argument("--password-file", type=Path, help="file with that user's password")

    edge = commands.add_parser("purge-edge", help="purge the shared HTTP caches in the cluster")
    edge.add_argument("--server", required=True, help="host:port; each address of the host is one of them")

    cloudflare = commands.add_parser("purge-cloudflare", help="purge URLs from Cloudflare's cache")
    cloudflare.add_argument("--zone", required=True, help="the zone's identifier")
    cloudflare.add_argument("--url", dest="urls", required=True, action="append", help="URL to purge; may be repeated")
    cloudflare.add_argument("--token-file", required=True, type=Path, help="file with a token that may purge the zone")

    drain = commands.add_parser("drain", help="close keep-alive connections, then wait: the preStop hook of a pod")
    drain.add_argument("--seconds", type=float, default=5.0, help="how long to wait (default: 5)")
    commands.add_parser("openapi", help="print the OpenAPI document")
    contracts = commands.add_parser("contracts", help="write or compare the contracts of the services (in a checkout)")
    steps = contracts.add_subparsers(dest="action", required=True, metavar="ACTION")
    steps.add_parser("write", help="write OpenAPI documents and schemas of events to app/*/contracts")
    comparison = steps.add_parser("compare", help="report each incompatible change since another version")
    comparison.add_argument("old", help="a revision of git, or the directory of another checkout")
    commands.add_parser("version", help="print the version")
    return top


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text}: must have a = between its two parts")
    return name, value


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    options = parser().parse_args(arguments)
    match options.command:
        case "drain":
            from app.cli.drain import drain

            return drain(options.seconds)
        case "version":
            from app.core.version import version

            sys.stdout.write(version() + "\n")
            return 0
        case "ensure-secret":
            from app.cli.ensure_secret import ensure_secret

            return ensure_secret(options.name, options.key, options.namespace, values=dict(options.value))
        case "ensure-certificate":
            from app.cli.ensure_certificate import ensure_certificate

            return ensure_certificate(options.name, options.host, options.namespace, authority=options.authority)
        case "shape-cache":
            from app.cli.reshard_cache import reshard_cache

            return reshard_cache(options.server, options.shards, options.user, options.password_file)
        case "grant-admin":
            from app.cli.grant_admin import grant_admin

            return grant_admin(options.email)
        case "carry":
            from app.cli.carry import carry

            return carry(options.file, options.to, options.patience)
        case "dead-letters":
            from app.cli.dead_letters import revive, show

            common = (options.kind, options.service, options.json)
            return show(*common) if options.action == "list" else revive(options.ids, *common)
        case (
            "migrate"
            | "worker"
            | "beat"
            | "declare-queues"
            | "configure-broker"
            | "openapi"
            | "contracts"
            | "purge-edge"
            | "purge-cloudflare"
            | "mail-verification-links"
            | "restart-changed"
            | "spread-cache"
            | "split-database"
        ) as command:
            name = command.replace("-", "_")
            given = {option: value for option, value in vars(options).items() if option != "command"}
            return int(getattr(import_module(f"app.cli.{name}"), name)(**given))
        case _:
            from app.cli.serve import serve

            return serve(options.service)


if __name__ == "__main__":
    sys.exit(main())
