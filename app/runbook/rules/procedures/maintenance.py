"""Runbook § 4: keys to replace, old data to delete, backups of the configuration."""

from __future__ import annotations

from collections.abc import Sequence

from app import clock
from app.runbook.rules.procedures.shape import (
    FAIL,
    PASS,
    UNKNOWN,
    Act,
    Curl,
    Fact,
    Link,
    Procedure,
    Scene,
    Step,
    Verdict,
    count,
    number,
)

BACKUP_MS = 8 * clock.DAY


def _key_facts(scene: Scene) -> Sequence[Fact]:
    cards = scene.data.get("keys", ())
    states = [card.state for card in cards]
    return (
        Fact("Chaves que valem", number(sum(card.works for card in cards))),
        Fact("Hora de trocar", number(states.count("old"))),
        Fact("Em troca (as duas valem)", number(states.count("replaced"))),
    )


def _none_old(scene: Scene) -> Verdict:
    old = [card.row.name for card in scene.data.get("keys", ()) if card.state == "old"]
    if old:
        return Verdict(FAIL, f"Passou da hora de trocar: {', '.join(old)}.")
    return Verdict(PASS, "Nenhuma chave com mais de um trimestre sem troca.")


def _replaced_idle(scene: Scene) -> Verdict:
    """Old keys under replacement that nobody has used since their replacement."""
    cards = [card for card in scene.data.get("keys", ()) if card.state == "replaced"]
    if not cards:
        return Verdict(PASS, "Nenhuma chave antiga ainda vale.")
    since = scene.now - clock.DAY
    used = [c.row.name for c in cards if (c.row.last_used_at or 0) > since]
    if used:
        return Verdict(FAIL, f"A chave antiga ainda foi usada em 24 h: {', '.join(used)}.")
    return Verdict(UNKNOWN, "As antigas não são usadas há 24 h: revogue, ou deixe vencer.")


_KEYS = Link("Abrir as chaves de API", "access.keys")
KEYS = Procedure(
    "key_rotation", "4.1", "Rotação de chaves de API",
    "Uma chave passou de um trimestre sem troca.",
    "Uma chave velha que vazou continua abrindo o hub.",
    (10, 20),
    (
        Step(
            "who", "Ver quem usa qual chave, e quando",
            "Só se troca com segurança sabendo quem vai sentir.",
            _none_old, _key_facts, links=lambda _: (_KEYS,),
            panel="runbook/procedures/_keys.html", done="Já sei quem usa",
        ),
        Step(
            "rotate", "Trocar: criar a nova, as duas valem por um tempo",
            "A nova aparece uma única vez; a antiga vale até o fim da sobreposição.",
            _none_old, _key_facts, links=lambda _: (_KEYS,),
            panel="runbook/procedures/_keys.html",
            otherwise="O responsável não pode trocar agora: marque uma data na nota.",
        ),
        Step(
            "revoke", "Revogar a antiga quando ninguém mais a usa",
            "Até lá, as duas chaves abrem o hub.",
            _replaced_idle, _key_facts, links=lambda _: (_KEYS,),
            panel="runbook/procedures/_keys.html", done="Deixar vencer",
        ),
    ),
    audit=("api_key",), unsolved="Fale com o Desenvolvimento: dev@carinho.com.vc.",
)  # fmt: skip


def _old_facts(scene: Scene) -> Sequence[Fact]:
    old = scene.data.get("old", {})
    return (
        Fact(f"Eventos processados há mais de {old.get('event_days')} dias",
             number(old.get("events", 0))),
        Fact(f"Mensagens arquivadas há mais de {old.get('letter_days')} dias",
             number(old.get("letters", 0))),
        Fact("Próxima limpeza automática", at=old.get("next_at")),
        Fact("Última limpeza automática", at=old.get("last_at")),
    )  # fmt: skip


def _clean(scene: Scene) -> Verdict:
    old = scene.data.get("old", {})
    n = old.get("events", 0) + old.get("letters", 0)
    if not n:
        return Verdict(PASS, "Nada além do prazo: não há o que apagar.")
    text = "A limpeza automática apaga às 03:10; para já, use o botão."
    return Verdict(FAIL, f"{count(n, 'registro', 'registros')} além do prazo. {text}")


def _counted(scene: Scene) -> Verdict:
    old = scene.data.get("old")
    if old is None:
        return Verdict(UNKNOWN, "Contagem indisponível.")
    return Verdict(PASS, f"Iriam agora: {number(old['events'])} eventos e "
                         f"{number(old['letters'])} mensagens arquivadas.")  # fmt: skip


CLEANUP = Procedure(
    "cleanup", "4.2", "Limpeza de dados antigos",
    "Acontece sozinha todo dia; à mão quando falta espaço.",
    "Sem limpeza o banco cresce e fica lento.",
    (5, 10),
    (
        Step(
            "count", "Ver o que iria",
            "O que é apagado não volta: confira as contagens antes.",
            _counted, _old_facts,
        ),
        Step(
            "run", "Limpar agora",
            "Em pequenos lotes, sem parar as entregas.",
            _clean, _old_facts, lambda _: (Act("cleanup"),),
            otherwise="Falhou no meio: pode repetir, continua de onde parou.",
            done="Deixar para a automática",
        ),
        Step(
            "history", "Conferir o histórico",
            "Fica registrado quem apagou o quê.",
            _clean, _old_facts, panel="runbook/procedures/_history.html", done="Conferido",
        ),
    ),
    audit=("cleanup",), unsolved="Fale com o Desenvolvimento: dev@carinho.com.vc.",
)  # fmt: skip


def _backup_facts(scene: Scene) -> Sequence[Fact]:
    backups = scene.data.get("backups", ())
    return (
        Fact("Backups guardados", number(len(backups))),
        Fact("O mais novo", at=backups[0].at if backups else None),
        Fact("Próximo automático", at=scene.data.get("next_backup")),
    )


def _is_fresh(scene: Scene) -> Verdict:
    backups = scene.data.get("backups", ())
    if not backups:
        return Verdict(FAIL, "Ainda não há backup.")
    if scene.now - backups[0].at > BACKUP_MS:
        return Verdict(FAIL, "O backup mais novo tem mais de uma semana.")
    return Verdict(PASS, "Há um backup desta semana.")


def _made_now(scene: Scene) -> Verdict:
    if "backup" in scene.did:
        return Verdict(PASS, "Backup feito nesta execução.")
    if _is_fresh(scene).result == PASS:
        # The automatic one may be older than what was changed since: a person decides.
        text = "Há um backup desta semana; antes de uma mudança grande, faça outro."
        return Verdict(UNKNOWN, text)
    return _is_fresh(scene)


BACKUP = Procedure(
    "backup", "4.3", "Backup de configurações",
    "Semanal, sozinho, às 02:30; à mão antes de uma mudança grande.",
    "Sem backup, um mapeamento perdido é refeito à mão.",
    (5, 10),
    (
        Step(
            "make", "Exportar mapeamentos e endpoints",
            "Um arquivo na pasta de dados; os segredos dos endpoints ficam de fora.",
            _made_now, _backup_facts,
            lambda _: (Act("backup", curl=Curl("GET", "/api/mappings/export")),),
            done="O que existe basta",
        ),
        Step(
            "keep", "Conferir e baixar",
            "Guarde uma cópia fora do servidor.",
            _is_fresh, _backup_facts, panel="runbook/procedures/_backups.html",
            done="Conferido",
        ),
        Step(
            "restore", "Restaurar, só se for preciso",
            "Antes de restaurar, a comparação mostra exatamente o que muda.",
            lambda _: Verdict(PASS, "Opcional."), _backup_facts,
            panel="runbook/procedures/_backups.html",
        ),
    ),
    audit=("backup", "mapping", "endpoints"),
    unsolved="Fale com o Desenvolvimento: dev@carinho.com.vc.",
)  # fmt: skip
