"""Acceptance sampling (抽样检验): how many rows of a batch are compared with their paper, and how many may be wrong.

GB/T 2828.1 (ISO 2859-1), single sampling, normal inspection, general level II, for the preferred AQL values from 0.65
to 4.0. Its tables were compared cell by cell with two public copies of the same tables in MIL-STD-105E and ANSI/ASQ
Z1.4: the R packages AQLSchemes (``AAZ14Single``, which resolves the arrows) and Planesmuestra (``milstd105eplans``,
after Montgomery: the same acceptance numbers, but the sample sizes of the letters before an arrow moves them), and with
the chart that inspection companies hand out (code letters, plans and the rule of the arrows). Beware of tables found
elsewhere: several in public code leave one of the two arrows between 0 and 1 out.
"""

import heapq
import hmac
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from regulation.limits import BACKFILL_AQL


class Aql(StrEnum):
    """The acceptance quality limit (接收质量限) in percent nonconforming: the worst average that is tolerable."""

    AQL_0_65 = "0.65"
    AQL_1_0 = "1.0"
    AQL_1_5 = "1.5"
    AQL_2_5 = "2.5"
    AQL_4_0 = "4.0"


DEFAULT_AQL = Aql(str(BACKFILL_AQL.value / 100))

_LETTERS = "ABCDEFGHJKLMNPQR"
_SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
# Table 1, level II: the largest lot of each code letter; larger ones than the last have Q.
_LARGEST_LOTS = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000)
# Table 2-A is one column, moved: acceptance number 0 stands at a letter, and what follows below it is always the same.
_UP, _DOWN = -1, -2
_BELOW = (0, _UP, _DOWN, 1, 2, 3, 5, 7, 10, 14, 21)
_ZERO_AT = {Aql.AQL_0_65: "F", Aql.AQL_1_0: "E", Aql.AQL_1_5: "D", Aql.AQL_2_5: "C", Aql.AQL_4_0: "B"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A single sampling plan. ``letter`` is the plan's, which an arrow may have moved from the lot's."""

    letter: str
    size: int
    accept: int
    """Ac: the batch is accepted with at most so many nonconforming rows in the sample."""


def code_letter(lot_size: int) -> str:
    """The code letter of a lot at general inspection level II (Table 1). A lot of one is treated as one of two.

    ``ValueError`` without anything to inspect.

    >>> code_letter(1000), code_letter(5000), code_letter(2_000_000)
    ('J', 'L', 'Q')
    """
    if lot_size < 1:
        raise ValueError("a lot without a row")
    return _LETTERS[bisect_left(_LARGEST_LOTS, lot_size)]


def sampling_plan(lot_size: int, aql: Aql = DEFAULT_AQL) -> Plan:
    """The plan for a lot (Table 2-A). An arrow leads to the first plan below or above, with its sample size.

    A sample as large as the lot or larger means inspecting all of it; in these columns such plans accept with 0 only.

    >>> sampling_plan(5000)
    Plan(letter='L', size=200, accept=5)
    >>> sampling_plan(200, Aql.AQL_1_0), sampling_plan(120, Aql.AQL_1_0)
    (Plan(letter='H', size=50, accept=1), Plan(letter='E', size=13, accept=0))
    >>> sampling_plan(10).size
    10
    """
    place = _LETTERS.index(code_letter(lot_size))
    zero_at = _LETTERS.index(_ZERO_AT[aql])
    while (accept := _cell(place - zero_at)) < 0:
        place += 1 if accept == _DOWN else -1
    return Plan(_LETTERS[place], min(_SIZES[place], lot_size), accept)


def _cell(below_zero: int) -> int:
    """What stands so many letters below acceptance number 0: an acceptance number or an arrow."""
    if below_zero < 0:
        return _DOWN
    return _BELOW[below_zero] if below_zero < len(_BELOW) else _UP


def draw(population: Sequence[str], size: int, seed: str) -> list[str]:
    """``size`` of ``population``, the same ones on every machine and in whatever order the population comes.

    Everybody can check it: each name gets HMAC-SHA-256 with ``seed`` as key (both UTF-8); sorted by that, the first
    ``size`` are drawn, in this order. Nobody can choose a sample by it if the seed is fixed before the population is
    known or comes from outside, such as the digest of the file. More drawn of the same begins with the same.

    ``ValueError`` if a name comes twice or there are not so many.

    >>> draw(["1", "2", "3", "4", "5"], 2, "2026-001"), draw(["5", "4", "3", "2", "1"], 3, "2026-001")[:2]
    (['1', '4'], ['1', '4'])
    """
    if len(set(population)) != len(population):
        raise ValueError("a population with a name twice")
    if not 0 <= size <= len(population):
        raise ValueError("a sample larger than its population")
    key = seed.encode()
    return heapq.nsmallest(size, population, key=lambda name: hmac.digest(key, name.encode(), "sha256"))
