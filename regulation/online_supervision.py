"""Online supervision (电子督查, Article 17): what a program looks for every night in the record and the registers.

第十七条：综合管理单位应当通过随机抽查、模拟办事、电子督查等方式对电子证照使用部门的电子证照管理工作进行日常监督，发现问题的，及时督促整改。

Every rule takes counts of a period and says which departments have something to explain, in sentences for their heads
and with nothing of a person in them: what callers wrote (operators, business numbers) is said apart from that, for the
department's own eyes (``Sign.particulars``). A rule that lacks the data for a judgement says nothing. What a count
cannot show is written at its rule: a sign is a reason to ask, not a proof.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from statistics import fmean, median
from typing import NamedTuple, TypeVar

from regulation.findings import FindingRule, Severity, Source
from regulation.limits import (
    BUSY_DAYS,
    BUSY_USES,
    COMPARED_USES,
    DAY_BEGINS,
    DAY_ENDS,
    LIAISON_ABSENT,
    MATTER_HOLDERS,
    NOT_VALID_MATTERS,
    OFF_HOURS_SHARE,
    OFF_HOURS_USES,
    OPERATOR_DAYS,
    OPERATOR_MULTIPLE,
    OPERATOR_PEERS,
    OPERATOR_SCORE,
    OPERATOR_USES,
    OUTSIDE_LIST_DAYS,
    OUTSIDE_LIST_USES,
    PAPER_MATTERS,
    PAPER_MULTIPLE,
    PAPER_PEERS,
    PAPER_SHARE,
    PLATFORM_UP_SHARE,
    PLATFORM_UP_USES,
    SUPERVISED_DAYS,
    Limit,
)

OUTSIDE_LIST = FindingRule("outside-list", "多次在用证清单外用证", 9, Severity.MAJOR, Source.ONLINE, True)
ONE_MATTER = FindingRule("one-matter", "一个办件编号用于众多持证主体", 14, Severity.SEVERE, Source.ONLINE, True)
OPERATOR = FindingRule("operator", "操作员用证次数异常", 14, Severity.MAJOR, Source.ONLINE, True)
OFF_HOURS = FindingRule("off-hours", "夜间和休息日集中用证", 14, Severity.MINOR, Source.ONLINE, True)
LISTED_UNUSED = FindingRule("listed-unused", "清单内证照在办件中从未使用", 8, Severity.MINOR, Source.ONLINE, True)
PAPER = FindingRule("paper", "收取纸质证照明显偏多", 8, Severity.MAJOR, Source.ONLINE, True)
NOT_VALID = FindingRule("not-valid", "凭无效证照继续办理", 11, Severity.MAJOR, Source.ONLINE, True)
LIAISON_MISSING = FindingRule("liaison-missing", "没有在册的电子证照专人", 13, Severity.MINOR, Source.ONLINE, True)

RULES = (OUTSIDE_LIST, ONE_MATTER, OPERATOR, OFF_HOURS, LISTED_UNUSED, PAPER, NOT_VALID, LIAISON_MISSING)

SHOWN = 20
"""Business numbers of a finding that a department is shown at the most."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Period:
    """Closed days, both ends included. ``judged_from``: only what happened from then on is held against anybody, what
    lies before is there to compare with. ``in_full``: it takes as much as in ``SUPERVISED_DAYS``, in fewer days too."""

    first: date
    last: date
    judged_from: date
    in_full: bool = False

    @property
    def days(self) -> int:
        return SUPERVISED_DAYS.value if self.in_full else (self.last - self.judged_from).days + 1

    def __str__(self) -> str:
        return f"{self.judged_from}至{self.last}"


def looking_back(last: date, days: int = SUPERVISED_DAYS.value) -> Period:
    """So many days up to ``last``.

    >>> str(looking_back(date(2026, 5, 30)))
    '2026-05-01至2026-05-30'
    """
    first = last - timedelta(days=days - 1)
    return Period(first, last, first)


def scaled(limit: Limit, period: Period) -> int:
    """A number of times meant for ``SUPERVISED_DAYS``, for another period; never less than one.

    >>> scaled(OUTSIDE_LIST_USES, looking_back(date(2026, 5, 30), 90)), scaled(NOT_VALID_MATTERS, Period(
    ...     date(2026, 5, 1), date(2026, 5, 30), date(2026, 5, 24)))
    (60, 2)
    """
    return max(1, math.ceil(limit.value * period.days / SUPERVISED_DAYS.value))


class Sign(NamedTuple):
    """What a rule saw; as ``tasks.rectifications.findings.Found``."""

    rule: str
    department: str
    subject: str
    facts: str
    seen_on: date | None = None
    particulars: str = ""


class Matter(NamedTuple):
    """A business case as the record has it. ``holders``: of each whose certificates it used the last day, where they
    are several. ``not_valid``: of each certificate that did not hold and that no valid one replaced the last day."""

    department: str
    item: str
    business_no: str
    holders: tuple[date, ...] = ()
    not_valid: tuple[date, ...] = ()

    def since(self, day: date) -> "Matter":
        holders, not_valid = (tuple(on for on in each if on >= day) for each in (self.holders, self.not_valid))
        return self._replace(holders=holders, not_valid=not_valid)


class Absence(NamedTuple):
    """A department without a liaison officer, and when it was first reminded of that and how often."""

    department: str
    reminded_on: date
    reminders: int


@dataclass(slots=True)
class Tallies:
    """What the rules look at: how often something happened, by the day; days without it are absent. Departments, items
    and certificate types are codes; ``names`` has their names. Operators, and items whose code may be anything, go by
    marks that stay the same; ``meant`` has what was written."""

    refused: dict[tuple[str, str], dict[date, int]] = field(default_factory=dict)
    """Uses refused by Article 9, by department and item."""
    answered: dict[tuple[str, str, str], dict[date, int]] = field(default_factory=dict)
    """Uses answered, by department, item and type."""
    operators: dict[tuple[str, str], dict[date, int]] = field(default_factory=dict)
    """Uses answered, by department and operator; without those of programs by which holders serve themselves."""
    desk: dict[str, dict[date, int]] = field(default_factory=dict)
    """Uses answered that no holder set off, by department."""
    off_hours: dict[str, dict[date, int]] = field(default_factory=dict)
    """Of ``desk`` those at night and on days off."""
    matters: list[Matter] = field(default_factory=list)
    receipts: dict[tuple[str, str], dict[date, int]] = field(default_factory=dict)
    """Business cases that went on with paper because the platform was down, by department and type."""
    backfills: dict[str, dict[date, int]] = field(default_factory=dict)
    """Paper certificates taken and backfilled at a counter, by department."""
    listed: set[tuple[str, str, str]] = field(default_factory=set)
    """Department, item and type of what stood on the use list on the first and on the last day, and for which no law
    demands paper."""
    absences: list[Absence] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    meant: dict[str, str] = field(default_factory=dict)

    def name(self, code: str) -> str:
        return self.names.get(code, code)

    def since(self, day: date) -> "Tallies":
        """Only what happened from a day on. Operators keep their other days, beside which they are looked at."""
        return replace(
            self,
            refused=_later(self.refused, day),
            answered=_later(self.answered, day),
            desk=_later(self.desk, day),
            off_hours=_later(self.off_hours, day),
            receipts=_later(self.receipts, day),
            backfills=_later(self.backfills, day),
            matters=[matter.since(day) for matter in self.matters],
        )


def _later(counts: Mapping[K, Mapping[date, int]], day: date) -> dict[K, dict[date, int]]:
    left = {key: {on: times for on, times in days.items() if on >= day} for key, days in counts.items()}
    return {key: days for key, days in left.items() if days}


def outside_list(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Article 9: uses that the use list does not allow were tried again and again for one item, on several days. A
    department whose list lags behind its work looks the same: it proposes the entry."""
    for (department, item), days in tallies.refused.items():
        times, least_days = sum(days.values()), min(OUTSIDE_LIST_DAYS.value, period.days)
        if times >= scaled(OUTSIDE_LIST_USES, period) and len(days) >= least_days:
            facts = (
                f"{period}，事项“{tallies.name(item)}”有{times}次用证因超出用证清单被拒绝，分布在{len(days)}天（第九条）。"
                "确需使用的，请提出用证清单；不需要的，请停止尝试。"
            )
            yield Sign(OUTSIDE_LIST.code, department, item, facts, max(days), _meant(tallies, item))


def one_matter(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Articles 9 and 14: one business number stands for uses of many holders' certificates, so nobody can tell what
    they were used for. An application for a large group under one number looks the same."""
    several = _by_item(tallies, lambda each: len(each.holders) >= MATTER_HOLDERS.value)
    for (department, item), matters in several.items():
        most = sorted(matters, key=lambda each: (-len(each.holders), each.business_no))
        facts = (
            f"{period}，事项“{tallies.name(item)}”有{len(most)}个业务办件编号，每个都用于{MATTER_HOLDERS.value}个以上持证主体的"
            f"证照，最多的一个用于{len(most[0].holders)}个（编号只在部门的办件页面显示）。用证应对应真实办件（第九条、第十四条），"
            "请说明这些用证各为哪一办件。"
        )
        numbers = _listed([f"{each.business_no}（{len(each.holders)}个持证主体）" for each in most])
        seen_on = max(max(each.holders) for each in most)
        yield Sign(ONE_MATTER.code, department, item, facts, seen_on, _meant(tallies, item) + numbers)


def score(value: float, usual: float, spread: float) -> float:
    """How far a count lies above the usual one: the modified Z-score of Iglewicz and Hoaglin, "How to Detect and Handle
    Outliers" (1993; NIST/SEMATECH e-Handbook 1.3.5.17), 0.6745 (value - median) / MAD.

    Counts scatter by about the root of their mean even when everything is as ever, and MAD is 0 where more than half
    of the days are alike: so the divisor is at least the root of the median, and 1.

    >>> round(score(300, usual=40, spread=5), 1), round(score(60, usual=40, spread=5), 1)
    (35.1, 2.7)
    """
    return (value - usual) / max(spread / 0.6745, math.sqrt(usual), 1)


def operators(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Article 14: an operator used certificates far more often on a day than on their other days, or a day on average
    than the others of their department. Who stands in for others, or a campaign, looks the same."""
    by_department: dict[str, dict[str, dict[date, int]]] = {}
    for (department, operator), days in tallies.operators.items():
        by_department.setdefault(department, {})[operator] = days
    for department, each in by_department.items():
        average = {operator: fmean(days.values()) for operator, days in each.items()}
        for operator, days in each.items():
            judged = {day: times for day, times in days.items() if day >= period.judged_from}
            if not judged:
                continue
            said, seen_on = [], date.min
            day = max(judged, key=lambda day: (judged[day], day))
            usual, far = _far(judged[day], list(days.values()), OPERATOR_DAYS)
            if far:
                said.append(f"于{day}用证{judged[day]}次，而其每天用证次数的中位数为{usual:g}次")
                seen_on = day
            others = [value for other, value in average.items() if other != operator]
            mean = fmean(judged.values())
            usual, far = _far(mean, others, OPERATOR_PEERS)
            if far:
                said.append(f"平均每天用证{mean:.0f}次，而本部门其他{len(others)}名操作员的中位数为{usual:.0f}次")
                seen_on = max(seen_on, *judged)
            if said:
                facts = (
                    f"{period}，{operator}{'；'.join(said)}（第十四条）。操作员以代号表示，工号只在部门的办件页面显示；"
                    "请核实是否都有对应办件，并说明原因。"
                )
                yield Sign(OPERATOR.code, department, operator, facts, seen_on, _meant(tallies, operator))


def _far(value: float, others: list[int] | list[float], least: Limit) -> tuple[float, bool]:
    """The usual count, and whether ``value`` lies far above it."""
    if len(others) < least.value or value < OPERATOR_USES.value:
        return 0, False
    usual = median(others)
    spread = median(abs(each - usual) for each in others)
    far = score(value, usual, spread) > OPERATOR_SCORE.value / 10 and value >= OPERATOR_MULTIPLE.value * usual
    return usual, far


def off_hours(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Article 14: much of a department's use falls on nights and days off. What a holder sets off (a presentation, a
    call of a program by which holders serve themselves) may come at any hour and is not in the counts; a counter that
    is open on Saturdays is."""
    for department, days in tallies.off_hours.items():
        times, of = sum(days.values()), sum(tallies.desk[department].values())
        if times >= scaled(OFF_HOURS_USES, period) and times * 100 >= OFF_HOURS_SHARE.value * of:
            facts = (
                f"{period}，窗口用证{of}次，其中{times}次（{times * 100 // of}%）在工作日{DAY_ENDS.value}:00至次日"
                f"{DAY_BEGINS.value}:00之间或休息日（按国务院办公厅放假安排，持证主体自助办理的不计）。请说明原因（第十四条）。"
            )
            yield Sign(OFF_HOURS.code, department, "", facts, max(days))


def listed_unused(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Article 8: a certificate on an item's use list was not used once, although other certificates of the item were
    used often. An item whose cases seldom need that certificate looks the same: its entry is ended."""
    items: dict[tuple[str, str], dict[date, int]] = {}
    for (department, item, _), days in tallies.answered.items():
        together = items.setdefault((department, item), {})
        for day, times in days.items():
            together[day] = together.get(day, 0) + times
    for department, item, kind in sorted(tallies.listed):
        days = items.get((department, item), {})
        times, least_days = sum(days.values()), min(BUSY_DAYS.value, period.days)
        if (department, item, kind) in tallies.answered or len(days) < least_days:
            continue
        if times >= scaled(BUSY_USES, period):
            facts = (
                f"{period}，事项“{tallies.name(item)}”在{len(days)}天里用其他证照{times}次，用证清单内的“{tallies.name(kind)}”"
                "一次也没有用。能用电子证照的不得要求提交纸质证照（第八条）；确不需要的，请提出终止该条目。"
            )
            yield Sign(LISTED_UNUSED.code, department, f"{item}/{kind}", facts, max(days))


def paper(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Article 8: a department takes paper far more often than others.

    Seen are business cases that went on with paper under a receipt (the platform did not answer), on days on which it
    answered others about the same type, and paper certificates backfilled at the counter; both are beside the number
    of uses answered. Not seen is paper that a counter takes without asking the interface: that is for mystery
    applications, visits and citizens' reports.
    """
    uses: dict[str, int] = {}
    by_type: dict[tuple[str, date], dict[str, int]] = {}
    for (department, _, kind), days in tallies.answered.items():
        uses[department] = uses.get(department, 0) + sum(days.values())
        for day, times in days.items():
            there = by_type.setdefault((kind, day), {})
            there[department] = there.get(department, 0) + times
    received: dict[tuple[str, date], dict[str, int]] = {}
    for (department, kind), days in tallies.receipts.items():
        for day, times in days.items():
            received.setdefault((kind, day), {})[department] = times
    taken: dict[str, dict[date, int]] = {department: dict(days) for department, days in tallies.backfills.items()}
    for (kind, day), receipts in received.items():
        for department, times in receipts.items():
            if _was_up(department, by_type.get((kind, day), {}), receipts):
                days = taken.setdefault(department, {})
                days[day] = days.get(day, 0) + times
    share = {
        department: 100 * sum(taken.get(department, {}).values()) / (answered + sum(taken.get(department, {}).values()))
        for department, answered in uses.items()
        if answered >= scaled(COMPARED_USES, period)
    }
    for department, days in taken.items():
        matters, answered = sum(days.values()), uses.get(department, 0)
        own = 100 * matters / (matters + answered)
        others = [each for other, each in share.items() if other != department]
        if len(others) < PAPER_PEERS.value or matters < scaled(PAPER_MATTERS, period) or own < PAPER_SHARE.value:
            continue
        usual = median(others)
        if own >= PAPER_MULTIPLE.value * usual:
            facts = (
                f"{period}，收取纸质证照{matters}件（平台正常时的故障回执，及窗口补录），用证{answered}次，占{own:.0f}%；"
                f"其他{len(others)}个部门的中位数为{usual:.1f}%。能用电子证照的不得要求提交纸质证照（第八条），请说明原因。"
            )
            yield Sign(PAPER.code, department, "", facts, max(days))


def _was_up(department: str, answered: Mapping[str, int], receipts: Mapping[str, int]) -> bool:
    """Whether the platform answered the other departments about a type on a day."""
    uses = sum(times for other, times in answered.items() if other != department)
    failed = sum(times for other, times in receipts.items() if other != department)
    return uses >= PLATFORM_UP_USES.value and failed * 100 <= PLATFORM_UP_SHARE.value * (uses + failed)


def not_valid(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Article 11 (有效的电子证照): the content of certificates was taken though the interface answered that they do not
    hold (expired, suspended, revoked, superseded), and the business case did not use a valid one of that type and
    holder to the end of the period.

    Only extractions and presentations count: to authenticate a certificate is how one learns that it does not hold, and
    an archived copy of such a one is not handed out. Whether the case was then decided in the holder's favour the
    record does not tell.
    """
    for (department, item), matters in _by_item(tallies, lambda each: bool(each.not_valid)).items():
        if len(matters) >= scaled(NOT_VALID_MATTERS, period):
            facts = (
                f"{period}，事项“{tallies.name(item)}”有{len(matters)}个办件提取了接口答复为无效（过期、暂停、吊销撤销或已被替代）的"
                "证照的信息，且未再使用有效的证照（编号只在部门的办件页面显示）。办理业务应使用有效的电子证照（第十一条），"
                "请核实这些办件并说明如何处理。"
            )
            numbers = _listed(sorted(each.business_no for each in matters))
            seen_on = max(max(each.not_valid) for each in matters)
            yield Sign(NOT_VALID.code, department, item, facts, seen_on, _meant(tallies, item) + numbers)


def liaison_missing(tallies: Tallies, period: Period) -> Iterable[Sign]:
    """Article 13: nobody is on file long after the department was first reminded of it."""
    for absence in tallies.absences:
        days = (period.last - absence.reminded_on).days
        if days >= LIAISON_ABSENT.value:
            facts = (
                f"截至{period.last}，本部门没有在册的电子证照管理专人；自{absence.reminded_on}首次提醒已{days}天，共提醒"
                f"{absence.reminders}次（第十三条）。请指定专人并备案；备案前用证接口不予用证。"
            )
            yield Sign(LIAISON_MISSING.code, absence.department, "", facts)


def _by_item(tallies: Tallies, which: Callable[[Matter], bool]) -> dict[tuple[str, str], list[Matter]]:
    items: dict[tuple[str, str], list[Matter]] = {}
    for matter in filter(which, tallies.matters):
        items.setdefault((matter.department, matter.item), []).append(matter)
    return items


def _meant(tallies: Tallies, mark: str) -> str:
    return f"{mark}即{tallies.meant[mark]}。" if mark in tallies.meant else ""


def _listed(numbers: list[str]) -> str:
    more = f"等共{len(numbers)}个" if len(numbers) > SHOWN else ""
    return f"业务办件编号：{'、'.join(numbers[:SHOWN])}{more}。"


_CODE = re.compile(r"([0-9]{1,6}|[A-Z]{1,4})(-([0-9]{1,6}|[A-Z]{1,4}))*", re.ASCII)
_YEAR = re.compile(r"(?<![^-])20[0-9]{2}(?![^-])", re.ASCII)


def is_code(text: str) -> bool:
    """Whether a text that a caller wrote as an item's code can only be a code: short groups of digits and of capitals
    between hyphens. Seven digits, with hyphens and years left out, may be a telephone, identity or credit number, and
    five letters a name; whatever is more than that may be anything.

    >>> [is_code(text) for text in ("330603-SCJG-001", "SP-2026-000123", "330603199001011234", "138-0013-8000")]
    [True, True, False, False]
    >>> [is_code(text) for text in ("330603 1990 0101", "8412-0001", "张三丰", "ZHANGSAN-1", "E12345678", "")]
    [False, False, False, False, False, False]
    """
    return bool(_CODE.fullmatch(text)) and not re.search("[0-9]{7}", _YEAR.sub("", text).replace("-", ""))


JUDGES: Mapping[str, Callable[[Tallies, Period], Iterable[Sign]]] = {
    OUTSIDE_LIST.code: outside_list,
    ONE_MATTER.code: one_matter,
    OPERATOR.code: operators,
    OFF_HOURS.code: off_hours,
    LISTED_UNUSED.code: listed_unused,
    PAPER.code: paper,
    NOT_VALID.code: not_valid,
    LIAISON_MISSING.code: liaison_missing,
}
"""What each rule of ``RULES`` says of the counts of a period."""
