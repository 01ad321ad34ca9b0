"""The procedures worked end to end in a browser; each tells its clicks and seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.faults.running import RunningHub
from tests.house.running import until
from tests.journeys.counted import Count, Hand


@pytest.fixture
def patience() -> dict[str, str]:
    """Messages die of two attempts, six failures open a breaker, pages ask every second."""
    return {
        "RETRY_BASE_DELAY": "0.3",
        "RETRY_MAX_ATTEMPTS": "2",
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "6",
        "CIRCUIT_BREAKER_TIMEOUT": "600",
        "LIVE_POLL": "1",
        "ZAPI_INSTANCE_ID": "I1",
        "ZAPI_TOKEN": "T1",
        "ZAPI_CLIENT_TOKEN": "C1",
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


def test_the_weekly_chores(hub: RunningHub, desk: Page, working: Working) -> None:
    with working("4.3 backup") as hand:
        hand.begin("backup")
        hand.click(desk.get_by_role("button", name="Fazer backup agora"))
        settled(desk, "keep", "Há um backup desta semana.")
        hand.finish()
    with working("4.2 cleanup") as hand:
        hand.begin("cleanup")
        settled(desk, "count", "Iriam agora: 0 eventos")
        hand.finish()
    with working("4.1 keys") as hand:
        hand.begin("key_rotation")
        settled(desk, "who", "Nenhuma chave com mais de um trimestre sem troca.")
        hand.finish()


def test_queues_and_database(hub: RunningHub, desk: Page, working: Working) -> None:
    hub.kill("notifications.1")
    with working("3.6 queue") as hand:
        hand.begin("queue_large")
        settled(desk, "alive", "Todas as filas têm worker vivo.")
        settled(desk, "small", "As filas estão normais.")
        hand.finish()
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
