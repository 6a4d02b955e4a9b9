"""A draw as a file that anybody can check, on any machine and without an installation (Article 17)."""

import json
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from regulation.spot_check_draws import Draw, canonical, differences
from runtime.refusals import InputError

_DRAW = TypeAdapter(Draw)
_HEX = frozenset("0123456789abcdef")
SEED_DIGITS = 64


def text_of(draw: Draw) -> str:
    """The file: canonical JSON."""
    return canonical(asdict(draw))


def draw_of(text: str) -> Draw:
    """The draw that a file holds. ``InputError`` for anything else, and for a file that holds more than a draw."""
    try:
        given = json.loads(text, object_pairs_hook=_once)
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
    draw = draw_of(text)
    found = differences(draw)
    if published is not None and draw.commitment != published.strip().lower():
        found.append(f"文件的承诺值{draw.commitment}不是抽取前公布的{published.strip().lower()}。")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found
