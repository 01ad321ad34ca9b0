"""Who may do what: one table from ability to the lowest level that has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OPERATION, DEVELOPMENT, MANAGEMENT = 1, 2, 3
LEVELS = {OPERATION: "Operação", DEVELOPMENT: "Desenvolvimento", MANAGEMENT: "Gestão"}
# Runbook § 5; what managers have changed since comes from the runbook.
CONTACTS = {
    OPERATION: "operacao@carinho.com.vc",
    DEVELOPMENT: "dev@carinho.com.vc",
    MANAGEMENT: "gestao@carinho.com.vc",
}


@dataclass(frozen=True, slots=True)
class Ability:
    """A thing that may be done, in words that fit after "Você não pode"."""

    name: str
    level: int
    description: str

    def ask(self, contacts: Mapping[int, str] = CONTACTS) -> str:
        """Whom somebody without the ability asks, by the levels' addresses."""
        return f"{LEVELS[self.level]} ({contacts[self.level]})"


_TABLE = (
    ("overview.read", OPERATION, "ver o painel e o estado do sistema"),
    ("events.read", OPERATION, "ver eventos"),
    ("events.write", OPERATION, "enviar eventos"),
    ("events.retry", OPERATION, "reprocessar eventos"),
    ("dlq.read", OPERATION, "ver mensagens com erro"),
    ("dlq.retry", OPERATION, "reprocessar mensagens com erro"),
    ("dlq.archive", OPERATION, "arquivar mensagens com erro"),
    ("dlq.bulk", OPERATION, "reprocessar ou arquivar muitas mensagens de uma vez"),
    ("dlq.edit", DEVELOPMENT, "corrigir o conteúdo de mensagens com erro"),
    ("dlq.delete", DEVELOPMENT, "excluir mensagens arquivadas"),
    ("breakers.read", OPERATION, "ver disjuntores"),
    ("breakers.reset", OPERATION, "religar disjuntores"),
    ("syncs.read", OPERATION, "ver sincronizações"),
    ("syncs.run", OPERATION, "executar sincronizações"),
    ("alerts.manage", OPERATION, "assumir, silenciar e anotar alertas"),
    ("maintenance.manage", OPERATION, "silenciar os alertas de um sistema em manutenção"),
    ("checklists.tick", OPERATION, "preencher o checklist diário"),
    ("checklists.manage", MANAGEMENT, "alterar os modelos de checklist"),
    ("procedures.run", OPERATION, "executar procedimentos"),
    ("incidents.manage", OPERATION, "abrir e conduzir incidentes"),
    ("escalate", OPERATION, "escalonar para o próximo nível"),
    ("whatsapp.manage", OPERATION, "reconectar o WhatsApp e decidir sobre a fila dele"),
    ("personal_data.read", OPERATION, "ver dados pessoais nas mensagens"),
    ("systems.read", OPERATION, "ver sistemas e endpoints"),
    ("systems.manage", DEVELOPMENT, "alterar sistemas e endpoints"),
    ("mappings.read", OPERATION, "ver rotas e mapeamentos"),
    ("mappings.manage", DEVELOPMENT, "alterar rotas e mapeamentos"),
    ("messages.manage", DEVELOPMENT, "alterar modelos de mensagem e o horário de silêncio"),
    ("automations.manage", DEVELOPMENT, "ligar e desligar automações"),
    ("workers.manage", DEVELOPMENT, "reiniciar e acrescentar workers"),
    ("cleanup.run", DEVELOPMENT, "executar limpezas de dados"),
    ("keys.manage", DEVELOPMENT, "criar e revogar chaves de API"),
    ("audit.read", DEVELOPMENT, "ver a auditoria"),
    ("sla.manage", MANAGEMENT, "alterar limites de SLA e contatos"),
    ("people.manage", MANAGEMENT, "cadastrar pessoas e definir níveis"),
)
ABILITIES = {name: Ability(name, level, description) for name, level, description in _TABLE}


def allowed(level: int, ability: str) -> bool:
    """Whether a level has the ability; an unknown ability is a KeyError, never a yes."""
    return level >= ABILITIES[ability].level


def refusal(ability: str, contacts: Mapping[int, str] = CONTACTS) -> str:
    """Why a button is disabled and whom to ask."""
    found = ABILITIES[ability]
    return f"Você não pode {found.description}. Peça a {found.ask(contacts)}."
