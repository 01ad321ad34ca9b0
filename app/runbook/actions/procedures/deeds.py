"""The deeds behind the buttons of the procedures: each calls the action of its domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import current_app

from app import clock
from app.access.actions import audit
from app.access.actor import Actor
from app.db import reading, transaction
from app.deliveries.actions import bulk
from app.deliveries.actions.cleanup import cleanup_dead_letters
from app.deliveries.queries.dead_letters import Narrow
from app.errors import Conflict, Invalid, Unavailable
from app.events.actions.cleanup import cleanup_events
from app.messages.actions import connection
from app.messages.queries.connection import state as whatsapp_state
from app.messages.zapi import zapi
from app.monitoring.actions import scale
from app.monitoring.rules.workers import LINES
from app.numbers import whole
from app.runbook.actions.procedures import backups
from app.runbook.queries.procedures import phone
from app.supervisor import premises, procfile
from app.syncs.actions import start as syncs
from app.systems.actions import breakers
from app.systems.actions.probe import probe_system
from app.web import validate


@dataclass(frozen=True, slots=True)
class Order:
    """What a deed is done with: the run, the form's fields, who asks and why."""

    run_id: int
    fields: Mapping[str, str]
    by: Actor
    now: int
    why: str

    def number(self, name: str) -> int:
        """A field as a number; Invalid."""
        value = whole(self.fields.get(name, ""))
        if value is None:
            raise Invalid(details={name: ["must be a number"]})
        return value


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: words for the person, values for the record."""

    text: str
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it went well."""
        return self.result.get("ok") is not False


def _whatsapp_check(_: Order) -> Done:
    connection.check()
    with reading() as c:
        known = whatsapp_state(c)
    if known is None or known.check_error:
        text = known.check_error if known else "WhatsApp não está configurado"
        return Done(f"A Z-API não disse a situação: {text}", {"ok": False, "text": text})
    word = "conectado" if known.connected else "desconectado"
    return Done(f"WhatsApp {word}.", {"ok": known.connected, "text": word})


def _whatsapp_restore(order: Order) -> Done:
    accepted = zapi().restore_session()
    _audit(order, "whatsapp.restored", "whatsapp", {"accepted": accepted})
    connection.check()
    if not accepted:
        return Done("A Z-API não restaurou a sessão: leia o QR code.", {"ok": False})
    return Done("Sessão pedida de volta; a situação aparece em segundos.", {"ok": True})


def _whatsapp_qr(order: Order) -> Done:
    phone.ask_qr(order.run_id, order.now)
    return Done("QR code na tela por 20 segundos.", {"ok": True})


def _whatsapp_phone(order: Order) -> Done:
    code = zapi().phone_code(order.fields.get("phone", ""))
    _audit(order, "whatsapp.phone_code", "whatsapp")
    if not code:
        return Done("A Z-API não deu um código para este número.", {"ok": False})
    # The code is a login: shown once, stored nowhere.
    return Done(f"Digite no celular: {code}", {"ok": True})


def _whatsapp_purge(order: Order) -> Done:
    done = zapi().purge()
    phone.ask_again()
    _audit(order, "whatsapp.purged", "whatsapp", {"accepted": done})
    return Done("Fila da Z-API apagada." if done else "A Z-API não apagou a fila.", {"ok": done})


def _dlq(action: str, careful: bool, text: str) -> Callable[[Order], Done]:
    def perform(order: Order) -> Done:
        wanted = validate(Narrow, {"cause": order.fields.get("cause", "")})
        if not wanted.cause:
            raise Invalid(details={"cause": ["must be named"]})
        asked = bulk.ask(action, wanted, by=order.by, now=order.now, why=order.why, careful=careful)
        if asked.id is None:
            raise Conflict("Nenhuma mensagem aberta tem mais esta causa")
        return Done(f"{text} ({asked.total}).", {"ok": True, "bulk": asked.id, "n": asked.total})

    return perform


def _dlq_cancel(order: Order) -> Done:
    bulk.cancel(order.number("bulk"), by=order.by, now=order.now)
    return Done("O resto foi cancelado; o que já saiu continua.", {"ok": True})


def _probe(order: Order) -> Done:
    found = probe_system(order.fields.get("system", ""), by=order.by, now=order.now)
    verb = "respondeu" if found.ok else "não está bem"
    return Done(f"O sistema {verb}: {found.text}.", {"ok": found.ok, "text": found.text})


def _breaker_reset(order: Order) -> Done:
    system = order.fields.get("system", "")
    breakers.reset(system, order.why, by=order.by, now=order.now)
    return Done("Disjuntor religado: agora vigie por cinco minutos.", {"ok": True})


def _sync_run(order: Order) -> Done:
    ids = syncs.start(
        syncs.named(order.fields.get("sync", "")), by=order.by, why=order.why, now=order.now
    )
    return Done("Sincronização pedida; acompanhe abaixo.", {"ok": True, "runs": ids})


def _workers_restart(order: Order) -> Done:
    pid = premises.renew(current_app.extensions["settings"].data_dir)
    if pid is None:
        raise Unavailable("Nenhum supervisor roda nesta pasta de dados: reinicie o hub", 30)
    _audit(order, "workers.restarted", "workers", {"supervisor": pid})
    return Done("Workers sendo trocados; leva alguns segundos.", {"ok": True})


def _workers_add(order: Order) -> Done:
    settings = current_app.extensions["settings"]
    line = order.fields.get("line", "")
    usual = procfile.scale(settings.workers, LINES).get(line, 1)
    number, minutes = order.number("count"), order.number("minutes")
    made = scale.order_workers(
        line, number, minutes, usual=usual, by=order.by, why=order.why, now=order.now
    )
    scale.write_scale(settings.data_dir)
    return Done(f"{number} workers por {minutes} min; depois volta a {usual}.", {"order": made})


def _cleanup(order: Order) -> Done:
    settings, now = current_app.extensions["settings"], order.now
    events = cleanup_events(now - settings.event_retention_days * clock.DAY)
    letters = cleanup_dead_letters(now - settings.dlq_retention_days * clock.DAY)
    told = {"events": events, "letters": letters}
    _audit(order, "cleanup.run", "old data", told)
    return Done(f"Apagados: {events} eventos e {letters} mensagens arquivadas.", told)


def _backup(order: Order) -> Done:
    name = backups.make_backup(by=order.by, now=order.now)
    return Done("Backup feito.", {"ok": True, "name": name})


def _restore(order: Order) -> Done:
    name = order.fields.get("name", "")
    found = backups.restore(name, by=order.by, now=order.now, why=order.why)
    told = {**found.mappings.summary(), "endpoints": len(found.changed)}
    return Done("Backup restaurado.", told)


def _audit(order: Order, action: str, target: str, after: Any = None) -> None:
    with transaction() as tx:
        audit.record(tx, order.by, action, target, order.why or None, None, after)


PERFORM: dict[str, Callable[[Order], Done]] = {
    "whatsapp_check": _whatsapp_check,
    "whatsapp_restore": _whatsapp_restore,
    "whatsapp_qr": _whatsapp_qr,
    "whatsapp_phone": _whatsapp_phone,
    "whatsapp_purge": _whatsapp_purge,
    "dlq_careful": _dlq("retry", True, "Reprocessamento com prova começou"),
    "dlq_cancel": _dlq_cancel,
    "dlq_archive": _dlq("archive", False, "Arquivamento começou"),
    "probe": _probe,
    "breaker_reset": _breaker_reset,
    "sync_run": _sync_run,
    "workers_restart": _workers_restart,
    "workers_add": _workers_add,
    "cleanup": _cleanup,
    "backup": _backup,
    "restore": _restore,
}
