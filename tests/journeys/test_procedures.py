"""The procedures worked end to end in a browser; each tells its clicks and seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from app import clock
from app.pipeline import SLOTS
from tests.faults.running import RunningHub
from tests.house.running import until
from tests.journeys.counted import Count, Hand
from tests.journeys.doors import Doors
from tests.journeys.world import mapping_changed


@pytest.fixture
def patience() -> dict[str, str]:
    """Messages die of two attempts, six failures open a breaker, pages ask every second."""
    return {
        "RETRY_BASE_DELAY": "0.3",
        "RETRY_MAX_ATTEMPTS": "2",
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "6",
        "CIRCUIT_BREAKER_TIMEOUT": "600",
        "LIVE_POLL": "1",
        "DELIVERY_IN_FLIGHT": "8",
        "ZAPI_INSTANCE_ID": "I1",
        "ZAPI_TOKEN": "token-of-instance",
        "ZAPI_CLIENT_TOKEN": "token-of-client",
    }


class Worker(Hand):
    """What the procedures have in common."""

    def begin(self, key: str) -> None:
        """Start from the list."""
        card = self.page.locator(f"#procedure-{key}")
        self.click(card.get_by_role("button", name="Começar"))
        expect(self.page.locator("#steps")).to_be_visible()

    def ask_and_confirm(self, button: Locator, verb: str) -> None:
        """Press a button that is asked about; its reason is filled in already."""
        self.click(button)
        dialog = self.page.locator("dialog[open]")
        expect(dialog.get_by_role("button", name="Cancelar")).to_be_focused()
        self.click(dialog.get_by_role("button", name=verb))

    def finish(self) -> None:
        """End the run as solved; its report follows."""
        self.click(self.page.get_by_role("button", name="Encerrar como resolvido"))
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Relatório")


Working = Callable[[str], AbstractContextManager[Worker]]


@pytest.fixture
def working(hub: RunningHub, desk: Page, counted: Count) -> Working:
    """`with working(name) as hand`: one at the list of procedures; what it took is told."""

    @contextmanager
    def work(name: str) -> Iterator[Worker]:
        desk.goto(f"{hub.url}/procedimentos")
        hand = Worker(desk)
        yield hand
        counted(name, hand)

    return work


def settled(desk: Page, step: str, text: str) -> None:
    """The step says by itself that it worked."""
    expect(desk.locator(f"#passo-{step}")).to_contain_text(text)


def test_breaker_and_dead_letters(hub: RunningHub, desk: Page, working: Working) -> None:
    hub.partners.mode("crm", "503")
    events = hub.send(3)
    until(lambda: hub.ask("SELECT state FROM breakers WHERE system='crm'") == [("open",)])

    with working("3.3 breaker") as hand:
        hand.begin("breaker")
        hand.click(desk.get_by_role("button", name="Testar agora"))
        settled(desk, "probe", "O teste falhou: HTTP 503")
        hub.partners.mode("crm", "ok")
        hand.click(desk.get_by_role("button", name="Testar agora"))
        settled(desk, "probe", "O sistema respondeu: HTTP 200")
        button = desk.locator("#passo-reset").get_by_role("button", name="Religar o disjuntor")
        hand.ask_and_confirm(button, "Religar disjuntor")
        settled(desk, "reset", "O disjuntor está fechado")
        settled(desk, "watch", "faltam")
        hand.finish()

    until(lambda: hub.ask("SELECT count(*) FROM deliveries WHERE status='pending'") == [(0,)])
    dead = hub.ask("SELECT count(*) FROM dead_letters WHERE state='open'")[0][0]
    assert dead > 0
    with working("3.2 dead letters") as hand:
        hand.begin("dlq")
        button = desk.get_by_role("button", name=f"Reprocessar com prova ({dead})")
        hand.ask_and_confirm(button, "Reprocessar com prova")
        settled(desk, "decide", "Todas as mensagens tiveram uma decisão.")
        settled(desk, "watch", "A quantidade de mensagens com erro está normal.")
        hand.finish()
    hub.delivered(events)


def test_whatsapp_comes_back(hub: RunningHub, desk: Page, working: Working) -> None:
    hub.partners.disconnect_whatsapp(restorable=False)
    with working("3.1 WhatsApp") as hand:
        hand.begin("whatsapp_disconnected")
        settled(desk, "status", "A Z-API respondeu: desconectado.")
        hand.click(desk.locator("#passo-restore").get_by_role("button", name="Restaurar a sessão"))
        hand.click(desk.locator("#passo-qr").get_by_role("button", name="Mostrar o QR code"))
        expect(desk.locator("#qr img")).to_be_visible()
        hub.partners.connect_whatsapp()
        settled(desk, "qr", "O WhatsApp está conectado.")
        settled(desk, "drain", "Nada espera")
        hand.finish()


def test_a_configuration_is_kept_and_brought_back(
    hub: RunningHub, desk: Page, working: Working
) -> None:
    with working("4.3 backup") as hand:
        hand.begin("backup")
        hand.click(desk.get_by_role("button", name="Fazer backup agora"))
        settled(desk, "keep", "Há um backup desta semana.")
        hand.finish()
    mapping_changed(Doors(hub, desk.context))
    with working("4.3 restore") as hand:
        hand.begin("backup")
        hand.click(desk.locator("#open-restore"))
        hand.click(desk.get_by_role("link", name="Comparar e restaurar").first)
        expect(desk.get_by_role("main")).to_contain_text("lead.created → crm")
        hand.click(desk.get_by_role("button", name="Restaurar este backup"))
        dialog = desk.locator("dialog[open]")
        dialog.get_by_label("Motivo").fill("mudança errada")
        hand.click(dialog.get_by_role("button", name="Restaurar", exact=True))
        expect(desk.locator(".banner.ok")).to_contain_text("Backup restaurado.")
        hand.finish()
    events = hub.send(1, "lead.created")
    hub.delivered(events)
    (body,) = hub.ask("SELECT body FROM deliveries WHERE system='crm' ORDER BY id DESC LIMIT 1")[0]
    assert "fone" not in json.loads(body)


def test_old_data_is_counted_and_deleted(hub: RunningHub, desk: Page, working: Working) -> None:
    # The night's own cleanup, made up for at the start, would take them first.
    until(lambda: hub.ask("SELECT 1 FROM slots WHERE job=? AND done_at > 0", SLOTS[-1].name))
    hub.delivered(hub.send(3))
    long_ago = 31 * clock.DAY
    hub.write(
        f"UPDATE integration_events SET created_at = created_at - {long_ago},"
        f" finished_at = finished_at - {long_ago}"
    )
    with working("4.2 cleanup") as hand:
        hand.begin("cleanup")
        settled(desk, "count", "Iriam agora: 3 eventos e 0 mensagens arquivadas.")
        hand.ask_and_confirm(desk.get_by_role("button", name="Limpar agora"), "Apagar")
        settled(desk, "run", "Nada além do prazo")
        hand.click(desk.locator("#open-history"))
        settled(desk, "history", "Gestão apagou 3 eventos e 0 mensagens arquivadas")
        hand.finish()
    assert hub.ask("SELECT count(*) FROM integration_events") == [(0,)]


def test_a_key_is_replaced(hub: RunningHub, desk: Page, working: Working) -> None:
    """The reminder, the new key, both valid for a while, back in the run."""
    hub.send(1)
    hub.write(f"UPDATE api_keys SET created_at = created_at - {100 * clock.DAY}")
    desk.goto(f"{hub.url}/hoje")
    expect(desk.locator("#due-key_rotation")).to_contain_text("hora de trocar: faults")
    with working("4.1 keys") as hand:
        hand.begin("key_rotation")
        settled(desk, "who", "Passou da hora de trocar: faults.")
        hand.click(desk.locator("#passo-who").get_by_role("button", name="Trocar"))
        hand.click(desk.get_by_role("button", name="Trocar chave"))
        expect(desk.locator("#api-key")).not_to_be_empty()
        hand.click(desk.get_by_role("link", name="Copiei a chave"))
        settled(desk, "rotate", "Nenhuma chave com mais de um trimestre sem troca.")
        settled(desk, "revoke", "A chave antiga ainda foi usada em 24 h: faults.")
        hand.click(desk.get_by_role("button", name="Deixar vencer"))
        hand.finish()
    # The old one opens the hub until its last day.
    hub.send(1)


def test_a_large_queue_gets_workers_for_a_while(
    hub: RunningHub, desk: Page, working: Working
) -> None:
    hub.partners.mode("crm", "slow", ms=1_000)
    event = {"event_type": "lead.updated", "source_system": "site", "payload": {"name": "Maria"}}
    assert hub.post("/api/events/batch", [event] * 1_000).json()["meta"]["accepted"] == 1_000
    with working("3.6 queue") as hand:
        hand.begin("queue_large")
        settled(desk, "alive", "Todas as filas têm worker vivo.")
        settled(desk, "bottleneck", "Nenhum sistema segura a fila")
        button = desk.get_by_role("button", name="Dobrar os workers de integrations-high")
        hand.ask_and_confirm(button, "Acrescentar")
        settled(desk, "more", "Workers acrescentados por um tempo.")
        until(lambda: {"high.3", "high.4"} <= set(hub.hub.pids()), 60)
        hub.partners.mode("crm", "ok")
        settled(desk, "small", "As filas estão normais.")
        hand.finish()
    done = "SELECT count(*) FROM integration_events WHERE status='done'"
    until(lambda: hub.ask(done) == [(1_000,)], 60)
    ((until_ms,),) = hub.ask("SELECT ends_at FROM scale_orders")
    assert 0 < until_ms - clock.now() <= 60 * clock.MINUTE


def test_a_database_that_is_well(desk: Page, working: Working) -> None:
    with working("3.7 database") as hand:
        hand.begin("db_slow")
        settled(desk, "fast", "Latência normal")
        hand.finish()


def test_a_sync_is_run_again(hub: RunningHub, desk: Page, working: Working) -> None:
    idle = "SELECT count(*) FROM sync_runs WHERE active_key IS NOT NULL"
    until(lambda: hub.ask(idle) == [(0,)])
    with working("3.4 sync") as hand:
        desk.goto(f"{hub.url}/procedimentos/sync_failing?subject=crm_operacao")
        hand.click(desk.get_by_role("main").get_by_role("button", name="Começar"))
        hand.click(desk.locator("#open-run"))
        button = desk.locator("#passo-run").get_by_role("button", name="Executar agora").first
        hand.ask_and_confirm(button, "Executar agora")
        expect(desk.locator(".banner.ok")).to_contain_text("Sincronização pedida")
        settled(desk, "good", "A última execução foi concluída.")
        hand.finish()


def test_a_high_error_rate_is_understood(hub: RunningHub, desk: Page, working: Working) -> None:
    hub.partners.mode("crm", "422")
    hub.send(2)
    until(lambda: hub.ask("SELECT count(*) FROM dead_letters") == [(2,)])
    with working("3.5 error rate") as hand:
        hand.begin("error_rate")
        settled(desk, "where", "lead.updated")
        hand.click(desk.get_by_role("button", name="Já sei onde"))
        settled(desk, "lines", "422")
        hand.click(desk.get_by_role("button", name="Já sei o padrão"))
        settled(desk, "changed", "Criou chave de API")
        hand.click(desk.get_by_role("button", name="Causa identificada"))
        settled(desk, "act", "Nos últimos 15 min ainda 2 de 2 falharam.")
        hand.click(desk.get_by_role("button", name="Escalonei"))
        expect(desk.locator("main")).to_contain_text("Escalonado")
