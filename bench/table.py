"""The Markdown table of a result, and its place in the README between two markers."""

from __future__ import annotations

from typing import Any

START, END = "<!-- bench:start -->", "<!-- bench:end -->"
WORDS = {"then": "reached", "first": "first goal", "missed": "missed", "": ""}


def number(value: float) -> str:
    """1234.5 as 1,234 and 0.123 as 0.123: three digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:g}"


def _line(figure: dict[str, Any]) -> str:
    spread = f"{number(figure['low'])} – {number(figure['high'])}"
    goals = (figure["first"], figure["then"], WORDS[figure["verdict"]])
    value = f"**{number(figure['median'])}** {figure['unit']}"
    return f"| {figure['what']} | {value} | {spread} | {' | '.join(goals)} |"


def markdown(result: dict[str, Any]) -> str:
    """When, where and how it was measured, and a line per figure; faults are said, not hidden."""
    machine = result["machine"]
    lines = [
        (
            f"Measured {result['date']} with `{result['command']}` on {machine['cpus']} cores, "
            f"Python {machine['python']}, {result['database']}; medians over interleaved rounds."
        ),
        "",
        "| what | median | lowest – highest | first goal | then | |",
        "|---|---|---|---|---|---|",
        *(_line(figure) for figure in result["figures"]),
    ]
    lines += [f"\nNot measured: {row} ({why})." for row, why in result["faults"].items()]
    return "\n".join(lines)


def put(text: str, result: dict[str, Any]) -> str:
    """The text with the table between the markers renewed; ValueError where they are missing."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the markers {START} and {END} are missing")
    return f"{before}{START}\n{markdown(result)}\n{END}{after}"
