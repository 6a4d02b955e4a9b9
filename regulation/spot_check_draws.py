"""The draw of a random spot check (随机抽查, Article 17): anybody can make it again from what is published.

Before the draw everything it depends on is frozen: the objects with what their weights rest on, the rate, the
inspectors with the departments they may not check, the check items. The SHA-256 of that list (canonical JSON), together
with a secret seed, gives the commitment, which is published first. The draw then follows from list and seed alone, and
afterwards both are published.

The method ``ezt-spot-check-1``, for whoever wants to write it in another language:

- canonical JSON: UTF-8, keys sorted, no blanks, no escapes beyond what JSON demands, dates as ``YYYY-MM-DD``;
- commitment: SHA-256, in lower hex, of the texts method, list hash (lower hex) and seed (lower hex), each followed by a
  line feed;
- weighted sampling without replacement after Efraimidis and Spirakis (2006), in integers so that every machine agrees:
  HMAC-SHA-256 of ``object``, a zero byte and the object's id (UTF-8) under the seed's 32 bytes, read as a big-endian
  number plus one, is u in 1 .. 2**256; its key is (256 - log2 u) / weight, with log2 in fixed point as ``log2`` below
  computes it; of each stratum (department and kind of object) the objects with the smallest keys are drawn, as many as
  ``sample_size`` says; equal keys go by id;
- teams: departments with drawn objects, those with most objects first and else by the HMAC of ``department``, zero
  byte, code; each gets those inspectors who may check it and have the fewest objects so far, among equals those with
  the smallest HMAC of ``inspector``, zero byte, code, zero byte, staff number.
"""

import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256

from regulation.limits import (
    SPOT_CHECK_BASE_POINTS,
    SPOT_CHECK_COMPLAINT_POINTS,
    SPOT_CHECK_COMPLAINT_RATE,
    SPOT_CHECK_COMPLAINTS,
    SPOT_CHECK_FINDING_POINTS,
    SPOT_CHECK_FINDINGS,
    SPOT_CHECK_TEAM,
    SPOT_CHECK_UNCHECKED_POINTS,
    SPOT_CHECK_UNCHECKED_TERM,
    SPOT_CHECK_UNCHECKED_TERMS,
    SPOT_CHECK_VOLUME_POINTS,
)
from runtime.refusals import RefusalError

METHOD = "ezt-spot-check-1"
FRACTION_BITS = 64
MANTISSA_BITS = 128
WHOLE = 10_000
"""Rates count in ten-thousandths."""


class NoTeamError(RefusalError):
    """A department that no two inspectors may check."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An object of the register of objects (检查对象名录库) and what its weight rests on."""

    id: str
    department: str
    """Its unified social credit code."""
    kind: str
    title: str
    """What people call it, with nothing of a person in it."""
    item: str
    """The service item that findings name; empty where there is none."""
    findings: int
    complaints: int
    volume: int
    last_checked_on: date | None
    weight: int


@dataclass(frozen=True, slots=True)
class CheckedDepartment:
    """A department with how many complaints about it count."""

    uscc: str
    name: str
    complaints: int


@dataclass(frozen=True, slots=True)
class Eligible:
    """An inspector who was there at the draw, and the departments that are barred to them."""

    staff_no: str
    """What they are called in the list: no staff number any more."""
    barred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedItem:
    """A check item (抽查事项) as it stood on the list."""

    code: str
    title: str
    article: int
    how: str
    kinds: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of the rules below. They travel with a draw, so that it can be made again when others hold."""

    base_points: int = SPOT_CHECK_BASE_POINTS.value
    finding_points: int = SPOT_CHECK_FINDING_POINTS.value
    findings: int = SPOT_CHECK_FINDINGS.value
    complaint_points: int = SPOT_CHECK_COMPLAINT_POINTS.value
    complaints: int = SPOT_CHECK_COMPLAINTS.value
    volume_points: int = SPOT_CHECK_VOLUME_POINTS.value
    unchecked_points: int = SPOT_CHECK_UNCHECKED_POINTS.value
    unchecked_term: int = SPOT_CHECK_UNCHECKED_TERM.value
    unchecked_terms: int = SPOT_CHECK_UNCHECKED_TERMS.value
    complaint_rate: int = SPOT_CHECK_COMPLAINT_RATE.value
    team: int = SPOT_CHECK_TEAM.value


NUMBERS = Numbers()


@dataclass(frozen=True, slots=True)
class Frozen:
    """Everything a draw depends on but the seed, in canonical order."""

    method: str
    numbers: Numbers
    case_no: str
    frozen_on: date
    period_from: date
    period_until: date
    rate: int
    departments: tuple[CheckedDepartment, ...]
    objects: tuple[Subject, ...]
    inspectors: tuple[Eligible, ...]
    items: tuple[ListedItem, ...]


@dataclass(frozen=True, slots=True)
class Team:
    """Who checks a department's objects, in the order they were drawn."""

    department: str
    inspectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw as it is published."""

    frozen: Frozen
    list_hash: str
    seed: str
    commitment: str
    sample: tuple[str, ...]
    teams: tuple[Team, ...]


def canonical(value: object) -> str:
    """Canonical JSON of what JSON can hold, dates included.

    >>> canonical({"b": date(2026, 1, 2), "a": ("电", 1)})
    '{"a":["电",1],"b":"2026-01-02"}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def list_hash(frozen: Frozen) -> str:
    """The SHA-256 of a frozen list, 64 hex digits."""
    return sha256(canonical(asdict(frozen)).encode()).hexdigest()


def commitment(frozen_hash: str, seed: str) -> str:
    """What is published before the draw: it binds list and seed and tells neither.

    >>> commitment("00" * 32, "11" * 32)[:16]
    'da51d5da9d93cec2'
    """
    return sha256("".join(f"{part}\n" for part in (METHOD, frozen_hash, seed)).encode()).hexdigest()


def risk_weight(
    findings: int, complaints: int, volume: int, last_checked_on: date | None, on: date, numbers: Numbers = NUMBERS
) -> int:
    """The weight of an object on a day, in points: how many times likelier than one of weight 1 it is drawn first.

    Base, plus points for each finding and each complaint about it that counts (both capped), for each doubling of its
    volume (0: none, 1: one, 2-3: two, 4-7: three ...), and for each term it was not checked, an object that never was
    counting as the longest.

    >>> risk_weight(0, 0, 0, date(2026, 1, 5), date(2026, 1, 5))
    10
    >>> risk_weight(2, 1, 1000, None, date(2026, 1, 5))
    94
    """
    terms = numbers.unchecked_terms
    if last_checked_on is not None:
        terms = min(terms, (on - last_checked_on).days // numbers.unchecked_term)
    return (
        numbers.base_points
        + numbers.finding_points * min(findings, numbers.findings)
        + numbers.complaint_points * min(complaints, numbers.complaints)
        + numbers.volume_points * volume.bit_length()
        + numbers.unchecked_points * terms
    )


def sample_size(count: int, rate: int, complaints: int, numbers: Numbers = NUMBERS) -> int:
    """How many of a stratum's ``count`` objects are drawn at a round's ``rate`` (per ten thousand): rounded up, so at
    least one, and more where there were complaints about the department.

    >>> sample_size(1, 500, 0), sample_size(100, 500, 0), sample_size(101, 500, 0), sample_size(100, 500, 2)
    (1, 5, 6, 15)
    """
    raised = rate + numbers.complaint_rate * min(complaints, numbers.complaints)
    return min(count, -(-count * raised // WHOLE))


def log2(number: int) -> int:
    """The logarithm to base 2 of a positive integer as a multiple of 2**-64, rounded down but for the last bits, which
    are the same on every machine.

    Of the number, its first 128 bits count; each squaring, cut to 128 bits again, gives one more binary place.

    >>> log2(1), log2(8) == 3 << 64, round(log2(10) / 2**64, 15)
    (0, True, 3.321928094887362)
    """
    whole = number.bit_length() - 1
    shift = whole + 1 - MANTISSA_BITS
    mantissa = number >> shift if shift > 0 else number << -shift
    places = 0
    for _ in range(FRACTION_BITS):
        mantissa = mantissa * mantissa >> MANTISSA_BITS - 1
        bit = mantissa >> MANTISSA_BITS
        mantissa >>= bit
        places = places << 1 | bit
    return (whole << FRACTION_BITS) + places


def _digest(seed: bytes, *said: str) -> bytes:
    return hmac.digest(seed, "\0".join(said).encode(), "sha256")


def draw_key(seed: str, object_id: str, weight: int) -> Fraction:
    """The key by which an object is drawn: the smaller the earlier; exponentially distributed with rate ``weight``.

    ``seed`` is hexadecimal; ``weight`` at least 1.
    """
    number = int.from_bytes(_digest(bytes.fromhex(seed), "object", object_id), "big") + 1
    return Fraction((sha256().digest_size * 8 << FRACTION_BITS) - log2(number), weight)


def strata(objects: Sequence[Subject]) -> dict[tuple[str, str], list[Subject]]:
    """The objects by department and kind, in order."""
    found: dict[tuple[str, str], list[Subject]] = defaultdict(list)
    for each in objects:
        found[each.department, each.kind].append(each)
    return dict(sorted(found.items()))


def draw_sample(frozen: Frozen, seed: str) -> tuple[Subject, ...]:
    """The objects that are drawn, stratum by stratum, in the order of their keys."""
    complaints = {each.uscc: each.complaints for each in frozen.departments}
    drawn: list[Subject] = []
    for (department, _), objects in strata(frozen.objects).items():
        ranked = sorted(objects, key=lambda each: (draw_key(seed, each.id, each.weight), each.id))
        drawn += ranked[: sample_size(len(objects), frozen.rate, complaints.get(department, 0), frozen.numbers)]
    return tuple(drawn)


def draw_teams(frozen: Frozen, seed: str, sample: Sequence[Subject]) -> tuple[Team, ...]:
    """A team for each department of the sample, by code. Raises ``NoTeamError`` where too few may check it."""
    secret = bytes.fromhex(seed)
    names = {each.uscc: each.name for each in frozen.departments}
    objects = Counter(each.department for each in sample)
    eligible = [(each.staff_no, frozenset(each.barred)) for each in frozen.inspectors]
    load: Counter[str] = Counter()
    teams = []
    for department in sorted(objects, key=lambda uscc: (-objects[uscc], _digest(secret, "department", uscc), uscc)):
        free = [staff_no for staff_no, barred in eligible if department not in barred]
        _check_enough(names.get(department, department), len(free), frozen.numbers)
        ranked = sorted(
            free,
            key=lambda staff_no: (load[staff_no], _digest(secret, "inspector", department, staff_no), staff_no),
        )
        team = tuple(ranked[: frozen.numbers.team])
        load.update(dict.fromkeys(team, objects[department]))
        teams.append(Team(department, team))
    return tuple(sorted(teams, key=lambda team: team.department))


def check_team(name: str, department: str, inspectors: Sequence[Eligible], numbers: Numbers = NUMBERS) -> None:
    """Raise ``NoTeamError`` unless enough of the inspectors may check the department of this name and code."""
    _check_enough(name, sum(department not in each.barred for each in inspectors), numbers)


def _check_enough(name: str, free: int, numbers: Numbers) -> None:
    if free < numbers.team:
        raise NoTeamError(
            f"“{name}”只有{free}名检查人员可以检查（须{numbers.team}名，本部门、曾任职和已申报回避的除外），"
            "请先在“检查人员名录”中增加检查人员。"
        )


def next_inspector(inspectors: Sequence[Eligible], seed: str, team: Team, absent: str) -> str:
    """Who takes the place of somebody ``absent`` in a team: of the other ``inspectors`` who may check the department,
    the one with the smallest HMAC. Raises ``NoTeamError`` when there is none."""
    free = [
        each.staff_no
        for each in inspectors
        if team.department not in each.barred and each.staff_no not in {absent, *team.inspectors}
    ]
    if not free:
        raise NoTeamError(
            "没有其他可以检查该部门的检查人员，没有更换；请先在“检查人员名录”中增加检查人员，再重新更换。"
        )
    return min(free, key=lambda staff_no: _digest(bytes.fromhex(seed), "inspector", team.department, staff_no))


def differences(given: Draw, committed: str | None = None) -> list[str]:
    """What of a published draw does not follow from its list and its seed, in Chinese; nothing when all of it does.

    Where it is known what was ``committed`` before the draw, nothing is drawn from another list or another seed: what
    comes of them says nothing, and what a stranger made up may take as long as they like.
    """
    frozen = given.frozen
    if frozen.method != METHOD:
        return [f"方法是“{frozen.method}”，本程序只会“{METHOD}”。"]
    found = []
    for each in frozen.objects:
        facts = (each.findings, each.complaints, each.volume, each.last_checked_on)
        weight = risk_weight(*facts, frozen.frozen_on, frozen.numbers)
        if each.weight != weight:
            found.append(f"对象{each.id}的权重应为{weight}，文件中是{each.weight}。")
    ids = [each.id for each in frozen.objects]
    if ids != sorted(set(ids)):
        found.append("对象名录没有按编号排列，或者有重复的编号。")
    frozen_hash = list_hash(frozen)
    if given.list_hash != frozen_hash:
        found.append(f"名录的哈希应为{frozen_hash}，文件中是{given.list_hash}。")
    if given.commitment != commitment(frozen_hash, given.seed):
        found.append(f"承诺值应为{commitment(frozen_hash, given.seed)}，文件中是{given.commitment}。")
    if committed is not None and commitment(frozen_hash, given.seed) != committed:
        return [*found, f"文件的名录或种子不是抽取前公布的承诺值{committed}所锁定的，没有用来重新抽取。"]
    sample = draw_sample(frozen, given.seed)
    right = tuple(each.id for each in sample)
    if missing := sorted(set(right) - set(given.sample)):
        found.append(f"应抽中而文件中没有：{'、'.join(missing)}。")
    if extra := sorted(set(given.sample) - set(right)):
        found.append(f"不应抽中而文件中有：{'、'.join(extra)}。")
    if not missing and not extra and given.sample != right:
        found.append("抽中的对象顺序不符，或者有重复。")
    try:
        teams = draw_teams(frozen, given.seed, sample)
    except NoTeamError as why:
        return [*found, f"按文件组不成检查组：{why}"]
    if given.teams != teams:
        there = {team.department: team.inspectors for team in given.teams}
        wrong = [each for each in teams if there.get(each.department) != each.inspectors]
        named = "；".join(f"{each.department}应为{'、'.join(each.inspectors)}" for each in wrong)
        found.append(f"检查组不符：{named or '有多余或次序不对的检查组'}。")
    return found
