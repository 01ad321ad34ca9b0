"""What a disk would hold had the power gone: the writes and syncs that strace saw, replayed.

A write is safe once a sync of its file began after the write ended, and ended itself. Of all others
any part may have reached the disk: each cut draws which, down to single sectors.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
CALLS = "pwrite64,write,writev,pwritev,ftruncate,fsync,fdatasync,unlink"
_CALL = re.compile(r"(?P<at>[\d.]+) (?P<call>\w+)\((?P<words>.*)", re.DOTALL)
_PATH = re.compile(r'(?:\d+<|")((?:\\x[0-9a-f]{2})+)[>"]')
_DATA = re.compile(r', "((?:\\x[0-9a-f]{2})*)", (\d+), (\d+)')
_LENGTH = re.compile(r", (\d+)\)")
_TOOK = re.compile(r"<([\d.]+)>$")
WRITE, TRUNCATE, SYNC, UNLINK = "pwrite64", "ftruncate", "sync", "unlink"


class Operation(NamedTuple):
    """A call on one of the files, with the seconds at which it began and ended."""

    begun: float
    ended: float
    call: str
    file: str
    offset: int = 0
    data: bytes = b""


def tracing(files: Sequence[Path], into: Path) -> list[str]:
    """Words before a command that have its calls on these files written down.

    The tracer stays in the background: signals go to the command itself.
    """
    paths = [word for file in files for word in ("-P", str(file))]
    return ["strace", "-D", "-f", "-ff", "--seccomp-bpf", "-qq", "-ttt", "-T", "-y", "-xx",
            "-s", "1000000", "-e", f"trace={CALLS}", *paths, "-o", str(into / "trace")]  # fmt: skip


def read(folder: Path) -> list[Operation]:
    """All calls of all processes, in the order in which they ended."""
    lines = (line for each in folder.glob("trace.*") for line in each.read_text().splitlines())
    return sorted((found for line in lines if (found := _operation(line))), key=lambda op: op.ended)


def _operation(line: str) -> Operation | None:
    call, path = _CALL.match(line), _PATH.search(line)
    if not call or not path:
        return None
    begun, took = float(call["at"]), _TOOK.search(line)
    # A call that its process did not live to see the end of may have done its work.
    ended = begun + float(took[1]) if took else begun
    name, file = call["call"], Path(_text(path[1]).decode()).name
    if name in ("fsync", "fdatasync"):
        return Operation(begun, ended, SYNC, file) if took else None
    if name == UNLINK:
        return Operation(begun, ended, UNLINK, file)
    if name == TRUNCATE:
        return Operation(begun, ended, TRUNCATE, file, int(_LENGTH.findall(line)[0]))
    if name != WRITE or not (data := _DATA.search(line)):
        raise ValueError(f"a write that is not understood: {line[:200]}")
    return Operation(begun, ended, WRITE, file, int(data[3]), _text(data[1]))


def _text(hex_: str) -> bytes:
    return bytes.fromhex(hex_.replace("\\x", ""))


class Disk:
    """The safe content of each file, and what is on its way."""

    def __init__(self, begun: Mapping[str, bytes]) -> None:
        self.safe = {name: bytearray(content) for name, content in begun.items()}
        self.pending: list[Operation] = []

    def take(self, done: Operation) -> None:
        """One more call has ended."""
        if done.call != SYNC:
            self.pending.append(done)
            return
        left = []
        for op in self.pending:
            if op.file == done.file and op.ended <= done.begun:
                apply(self.safe, op)
            else:
                left.append(op)
        self.pending = left

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """What the files may hold if the power goes now."""
        files = {name: bytearray(content) for name, content in self.safe.items()}
        likely = chance.choice((0.0, 0.5, 0.9, 1.0))
        for op in self.pending:
            for part in _parts(op) if chance.random() < 0.5 else (op,):
                if chance.random() < likely:
                    apply(files, part)
        return {name: bytes(content) for name, content in files.items()}


def _parts(op: Operation) -> Iterator[Operation]:
    """The sectors of a write, each of which may get through alone."""
    if op.call != WRITE:
        yield op
    for start in range(0, len(op.data), SECTOR):
        yield op._replace(offset=op.offset + start, data=op.data[start : start + SECTOR])


def apply(files: dict[str, bytearray], op: Operation) -> None:
    """Do to the files what the call did."""
    content = files.setdefault(op.file, bytearray())
    if op.call == UNLINK:
        content.clear()
    elif op.call == TRUNCATE:
        del content[op.offset :]
        content.extend(bytes(op.offset - len(content)))
    else:
        content.extend(bytes(max(op.offset - len(content), 0)))
        content[op.offset : op.offset + len(op.data)] = op.data


def cuts(
    begun: Mapping[str, bytes],
    operations: Iterable[Operation],
    moments: Sequence[float],
    chance: random.Random,
) -> Iterator[tuple[float, dict[str, bytes]]]:
    """The files as they may be after a cut at each of the moments (seconds)."""
    disk, left = Disk(begun), sorted(moments)
    for op in operations:
        while left and op.ended > left[0]:
            yield left[0], disk.cut(chance)
            left.pop(0)
        disk.take(op)
    for moment in left:
        yield moment, disk.cut(chance)
