"""Invented Brazilian people, services and campaigns, the same ones for the same seed."""

import random
from dataclasses import dataclass

FIRST_NAMES = (
    "Ana", "Beatriz", "Carlos", "Dalva", "Eduardo", "Fernanda", "Gilberto", "Helena",
    "Ícaro", "Joana", "Lúcia", "Marcos", "Neusa", "Otávio", "Patrícia", "Rogério",
    "Sônia", "Tereza", "Valdir", "Zilda",
)  # fmt: skip
LAST_NAMES = (
    "Almeida", "Araújo", "Barbosa", "Cardoso", "Conceição", "Ferreira", "Gonçalves",
    "Lima", "Magalhães", "Nascimento", "Oliveira", "Pereira", "Queiroz", "Ribeiro",
    "Santos", "Souza", "Teixeira", "Vasconcelos",
)  # fmt: skip
AREA_CODES = ("11", "13", "19", "21", "27", "31", "41", "48", "51", "61", "62", "71", "81", "85")
HOURLY_RATES = {
    "cuidador_diurno": 32.0,
    "cuidador_noturno": 38.0,
    "cuidador_24h": 35.0,
    "acompanhamento_hospitalar": 40.0,
    "tecnico_enfermagem": 48.0,
}
CAMPAIGNS = ("cuidado-em-casa", "dia-das-maes", "pos-operatorio", "melhor-idade")
SOURCES = (("google", "cpc"), ("instagram", "social"), ("facebook", "social"), ("indicacao", "ref"))
QUESTIONS = (
    "Preciso de uma cuidadora para minha mãe, de segunda a sexta.",
    "Olá! Vocês atendem aos fins de semana?",
    "Meu pai recebe alta amanhã e vai precisar de acompanhamento.",
    "Qual é o valor da diária de 12 horas?",
    "Gostaria de conversar sobre cuidados noturnos.",
)
COMMENTS = (
    "Muito atenciosa, minha mãe adorou.",
    "Chegou um pouco atrasada, mas foi gentil.",
    "Excelente cuidado, recomendo.",
    "Esperava mais pontualidade.",
    "",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with the ways to reach them."""

    name: str
    phone: str
    email: str
    cpf: str


def person(chance: random.Random) -> Person:
    """Somebody new."""
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    mobile = f"55{chance.choice(AREA_CODES)}9{chance.randrange(80_000_000, 99_999_999)}"
    box = f"{first}.{last}{chance.randrange(1000)}".lower().encode("ascii", "ignore").decode()
    return Person(f"{first} {last}", mobile, f"{box}@exemplo.com.br", cpf(chance))


def cpf(chance: random.Random) -> str:
    """A CPF with right check digits."""
    numbers = [chance.randrange(10) for _ in range(9)]
    for first_weight in (10, 11):
        total = sum(n * (first_weight - place) for place, n in enumerate(numbers))
        numbers.append(total * 10 % 11 % 10)
    return "".join(map(str, numbers))


def service_type(chance: random.Random) -> str:
    """One of the services on offer."""
    return chance.choice(tuple(HOURLY_RATES))
