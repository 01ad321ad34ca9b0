"""The Markdown table of a run, and its place in the document between two markers."""

from __future__ import annotations

from typing import Any

from bench.table import number

START, END = "<!-- chaos:start -->", "<!-- chaos:end -->"
WORDS = {"kept": "kept", "broken": "**broken**", "": ""}


def _measured(figure: dict[str, Any]) -> str:
    if figure["unit"] in ("yes", "no"):
        return str(figure["unit"])
    return f"{number(figure['value'])} {figure['unit']}".rstrip()


def _goal(figure: dict[str, Any]) -> str:
    if figure["unit"] in ("yes", "no"):
        return "yes"
    return f"{figure['goal']} {figure['unit']}".rstrip() if figure["goal"] else ""


def _lines(result: dict[str, Any]) -> list[str]:
    lines, row = [], None
    for figure in result["figures"]:
        if figure["row"] != row:
            row = figure["row"]
            lines.append(f"| **{row}** | | | |")
        cells = (figure["what"], _goal(figure), _measured(figure), WORDS[figure["verdict"]])
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def markdown(result: dict[str, Any]) -> str:
    """When, where and how it ran, and a line per figure; faults are said, not hidden."""
    machine = result["machine"]
    lines = [
        (
            f"Run on {result['date']} with `{result['command']}` on {machine['cpus']} cores, "
            f"Python {machine['python']}, {result['database']}."
        ),
        "",
        "| promise | figure to reach | measured | verdict |",
        "|---|---|---|---|",
        *_lines(result),
    ]
    lines += [f"\nNot run to its end: {row} ({why})." for row, why in result["faults"].items()]
    return "\n".join(lines)


def put(text: str, result: dict[str, Any]) -> str:
    """The text with the table between the markers renewed; ValueError where they are missing."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the markers {START} and {END} are missing")
    return f"{before}{START}\n{markdown(result)}\n{END}{after}"
