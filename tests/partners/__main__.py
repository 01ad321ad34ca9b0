"""Start the partners: `python -m tests.partners --port 9100`."""

import argparse
import asyncio
import json
import os
import signal
import sys

import uvloop

from tests.partners.server import PartnerServer


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="partners", description=__doc__)
    words.add_argument("--port", type=int, default=9100, help="0 takes any free port")
    words.add_argument("--own-ports", action="store_true", help="a port per system as well")
    words.add_argument("--hub", default="", help="base URL of the hub that gets events")
    words.add_argument("--api-key", default=os.environ.get("PARTNERS_API_KEY", ""))
    words.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="SYSTEM=SECRET",
        help="what a system signs its webhooks with; * for all others (or PARTNERS_WEBHOOK_SECRET)",
    )
    words.add_argument("--trickle", type=float, default=0.0, help="events a second")
    words.add_argument("--seed", type=int, default=None, help="of the stream of events")
    words.add_argument("--seed-syncs", type=int, default=0, help="items waiting in each sync")
    words.add_argument("--smtp-port", type=int, default=0, help="takes e-mails there; 0: none")
    words.add_argument(
        "--until-eof", action="store_true", help="stop when the standard input closes"
    )
    return words.parse_args()


def _secrets(pairs: list[str]) -> dict[str, str]:
    shared = os.environ.get("PARTNERS_WEBHOOK_SECRET")
    named = dict(pair.split("=", 1) for pair in pairs)
    return {"*": shared, **named} if shared else named


async def _main(given: argparse.Namespace) -> None:
    server = PartnerServer()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if given.until_eof:
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(0, 1024) else stop.set())
    await server.start(given.port, given.own_ports)
    _prepare(server, given)
    mail = server.control.letters.listen(given.smtp_port) if given.smtp_port else None
    trickle = asyncio.create_task(server.control.trickle.run())
    print(f"ready http://127.0.0.1:{server.port}", flush=True)
    await stop.wait()
    trickle.cancel()
    if mail is not None:
        mail.stop()


def _prepare(server: PartnerServer, given: argparse.Namespace) -> None:
    # What the hub signs deliveries with, as {system: secret} (the demo knows).
    endpoint_secrets = json.loads(os.environ.get("PARTNERS_ENDPOINT_SECRETS", "{}"))
    for system, secret in endpoint_secrets.items():
        server.systems[system].secrets = [secret]
    server.control.hub.point_to(given.hub, given.api_key, _secrets(given.secret))
    server.control.trickle.set(given.trickle, given.seed)
    kinds = ("schedules", "services", "billing", "caregivers")
    server.control.sow(dict.fromkeys(kinds, given.seed_syncs), seed=1)


if __name__ == "__main__":
    uvloop.run(_main(_arguments()))
