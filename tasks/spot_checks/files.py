"""A draw as a file that anybody can check, on any machine and without an installation (Article 17)."""

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from regulation.spot_check_draws import Draw, canonical, differences
from runtime.refusals import InputError, RefusalError
from tasks.tables.limited_processes import limited_process

_DRAW = TypeAdapter(Draw)
_HEX = frozenset("0123456789abcdef")
SEED_DIGITS = 64
LONGEST_NUMBER = 18
"""Digits of a number: to reckon with one of thousands takes long, and to print what comes of it is refused."""
SET_OUT = 3
"""How many times as long as the published file the same draw may be, set out in another way."""
MEMORY, SECONDS = 1 << 30, 20
"""Bytes of memory and seconds of computing that a draw may take to be made again."""
PROGRAM = "from tasks.spot_checks.files import recompute_for_another; recompute_for_another()"


def text_of(draw: Draw) -> str:
    """The file: canonical JSON."""
    return canonical(asdict(draw))


def draw_of(text: str) -> Draw:
    """The draw that a file holds. ``InputError`` for anything else, and for a file that holds more than a draw."""
    try:
        given = json.loads(text, object_pairs_hook=_once, parse_int=_number)
        draw = _DRAW.validate_python(given)
    except (ValidationError, ValueError, RecursionError):
        raise InputError("这不是抽查公布的抽取文件，或者文件不完整，请重新下载。") from None
    # What a dataclass would silently leave out or turn into something else counts as a change as well.
    if text_of(draw) != canonical(given):
        raise InputError("文件中有抽取文件没有的内容或写法，请重新下载。")
    if len(draw.seed) != SEED_DIGITS or not set(draw.seed) <= _HEX:
        raise InputError(f"文件中的种子不是{SEED_DIGITS}位十六进制数，请重新下载。")
    if any(each.weight < 1 for each in draw.frozen.objects) or draw.frozen.numbers.unchecked_term < 1:
        raise InputError("文件中有不可能的权重或规则，请重新下载。")
    return draw


def check_file(text: str, published: str | None = None) -> list[str]:
    """What of a file does not follow from its own list and seed, or from the commitment that was ``published`` before
    the draw, in Chinese; nothing when all agrees. Raises ``InputError`` as ``draw_of``."""
    return differences(draw_of(text), published.strip().lower() if published is not None else None)


def check_against(published: Draw, given: bytes | None = None) -> list[str]:
    """As ``check_file`` of a file that a stranger has ``given``, or of the draw that is ``published`` itself, in a
    process with limits of its own.

    Raises ``InputError`` for a file that is longer than what was published or has more rows, before anything of it is
    parsed, and as ``draw_of``; ``RefusalError`` for a draw that cannot be made again within the limits.
    """
    there = text_of(published).encode()
    content = there if given is None else given
    if len(content) > SET_OUT * len(there):
        most = -(-SET_OUT * len(there) // 1024)
        raise InputError(f"文件比本轮公布的抽取文件大得多（不应超过{most}KB），不是本轮公布的文件，请重新下载。")
    # Each object, inspector, department, item and team is an object of JSON.
    if content.count(b"{") > there.count(b"{"):
        raise InputError("文件中的对象、检查人员等比本轮公布的多，不是本轮公布的文件，请重新下载。")
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        said = (published.commitment, published.frozen.case_no)
        with limited_process(PROGRAM, file, MEMORY, SECONDS, *said) as process:
            try:
                answer, _ = process.communicate(timeout=SECONDS * 3)
            except subprocess.TimeoutExpired:
                answer = ""
    if not answer:
        raise RefusalError("这个文件没有能在限定的时间内验算完，请在自己的机器上用 ezt spot-check recompute 验算。")
    found, refusal = json.loads(answer)
    if refusal:
        raise InputError(refusal)
    return list(found)


def recompute_for_another() -> None:
    """Check the file on standard input for ``check_against``, and write on standard output what was found and why
    nothing was."""
    committed, case_no = sys.argv[1:]
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        found = check_file(text, committed)
        if not found and draw_of(text).frozen.case_no != case_no:
            found = ["这是另一轮抽查的文件。"]
        answer: tuple[list[str], str] = (found, "")
    except InputError as why:
        answer = ([], str(why))
    json.dump(answer, sys.stdout)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _number(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("no number of a draw")
    return int(digits)
