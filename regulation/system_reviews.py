"""New-system reviews (新建系统评审, Article 17): which projects the gate is for, what a plan must say before it is
reviewed at all, where a review stands, and what is compared once the system is live.

第十七条：……新建涉及行政许可、备案和公共服务事项的部门信息系统，未明确电子证照签发、使用和共享等建设内容的，综合管理单位不予评审。

Refusing to review (不予评审) is not failing a review (评审不通过): the first says that a plan is silent on what the
measures ask for and can come again as soon as it is not; the second is what reviewers found of a plan that speaks.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from regulation.findings import FindingRule, Severity, Source
from regulation.limits import GO_LIVE_AHEAD, GO_LIVE_SILENCE, PERSONS_AT_SCALE, PROVISION_LENGTH
from regulation.stages import Stages
from runtime.refusals import InputError


class Construction(StrEnum):
    """What is done to a system. Article 17 speaks of new ones."""

    NEW = "新建"
    REBUILT = "升级改造"
    MAINTAINED = "运行维护"


class Handles(StrEnum):
    """What kind of matter a service item is."""

    PERMIT = "行政许可"
    FILING = "备案"
    PUBLIC_SERVICE = "公共服务"
    OTHER = "其他"


class Access(StrEnum):
    """How a system gets at certificates (Article 6)."""

    INTERFACE = "用证接口"
    OTHER = "其他方式"


class SecurityLevel(StrEnum):
    """The graded protection (等级保护) that a system is planned with, lowest first."""

    NONE = "未定级"
    FIRST = "第一级"
    SECOND = "第二级"
    THIRD = "第三级"
    FOURTH = "第四级"
    FIFTH = "第五级"


class Stage(StrEnum):
    """Where a submission stands. The values are what people read."""

    SUBMITTED = "已收到"
    OUTSIDE = "不属于评审范围"
    NOT_REVIEWED = "不予评审"
    IN_REVIEW = "评审中"
    SUPPLEMENT = "待补充材料"
    PASSED = "评审通过"
    FAILED = "评审不通过"


class Verdict(StrEnum):
    """What staff say of a plan that they review. Refusing to review is not among it: that is the gate's."""

    PASSED = "评审通过"
    FAILED = "评审不通过"
    SUPPLEMENT = "补充材料"


STAGES = Stages(
    "系统评审",
    {
        Stage.SUBMITTED: {Stage.OUTSIDE, Stage.NOT_REVIEWED, Stage.IN_REVIEW},
        Stage.IN_REVIEW: {Stage.SUPPLEMENT, Stage.PASSED, Stage.FAILED},
        Stage.SUPPLEMENT: {Stage.IN_REVIEW},
    },
)
COMES_AGAIN = frozenset({Stage.OUTSIDE, Stage.NOT_REVIEWED, Stage.FAILED})
"""Ends after which a project may come again as a new version."""


NOT_LISTED = FindingRule(
    "go-live-not-listed", "承诺的用证清单条目在上线后仍未列入", 17, Severity.MAJOR, Source.GO_LIVE, rerun=True
)
CERTIFICATE_UNUSED = FindingRule(
    "go-live-certificate-unused", "承诺使用的电子证照在上线后从未使用", 17, Severity.MINOR, Source.GO_LIVE, rerun=True
)
ITEM_UNUSED = FindingRule(
    "go-live-item-unused", "承诺用证的事项在上线后没有使用任何电子证照", 17, Severity.MAJOR, Source.GO_LIVE, rerun=True
)
RULES = (NOT_LISTED, CERTIFICATE_UNUSED, ITEM_UNUSED)
"""What the check after going live can find."""


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A service item that the system handles. ``without`` says why it needs no certificate; empty: it does."""

    code: str
    name: str
    handles: Handles
    without: str = ""


@dataclass(frozen=True, slots=True)
class PlannedUse:
    """A line of the use list that the system will need (Article 9). ``type_code`` and ``fields`` are codes."""

    item_code: str
    type_code: str
    scenario: str
    fields: tuple[str, ...]
    holder_alone: bool = False
    """Whether the holder may present the certificate alone (Article 10)."""


@dataclass(frozen=True, slots=True)
class Provision:
    """What a plan says on one matter, and in which chapter of the plan document."""

    text: str = ""
    chapter: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A project as the gate sees it. ``persons`` is about how many people the system holds information of."""

    construction: Construction
    items: tuple[ServiceItem, ...]
    uses: tuple[PlannedUse, ...]
    issuing: Provision
    using: Provision
    sharing: Provision
    no_paper: Provision
    presentation: Provision
    archiving: Provision
    logging: Provision
    access: Access
    access_reason: str
    own_copies: bool
    security_level: SecurityLevel
    persons: int

    @property
    def touched(self) -> tuple[ServiceItem, ...]:
        """The items that are permits, filings or public services."""
        return tuple(item for item in self.items if item.handles is not Handles.OTHER)


@dataclass(frozen=True, slots=True)
class Gap:
    """What a plan does not say though an article asks for it, and what to write."""

    article: int
    what: str
    write: str


def outside_because(plan: Plan) -> str | None:
    """Why a project is none of those that Article 17 is about, in Chinese; ``None`` for one that is."""
    if plan.construction is not Construction.NEW:
        return f"建设性质为“{plan.construction}”，不是新建系统"
    if not plan.touched:
        return "所列事项都不是行政许可、备案或者公共服务事项"
    return None


_EMPTY_WORDS = re.compile(
    r"暂无|没有|不涉及|不适用|待定|待补充|待明确|另行明确|后续明确|后续补充|按要求(?:建设|落实|执行)?|符合要求|"
    r"详见附件|见附件|详见方案|见方案|同上|无|略"
)


def says_something(text: str) -> bool:
    """Whether a text says anything of its own: ``PROVISION_LENGTH`` letters or more besides empty words.

    >>> says_something("不涉及。"), says_something("待定" * 20), says_something("。" * 40)
    (False, False, False)
    >>> says_something("不涉及签发：本系统只采集统计数据，结果不产生证照。")
    True
    """
    rest = _EMPTY_WORDS.sub("", unicodedata.normalize("NFKC", text))
    return sum(letter.isalnum() for letter in rest) >= PROVISION_LENGTH.value


def _unsaid(provision: Provision, about: str) -> str | None:
    if not says_something(provision.text):
        return f"方案没有明确{about}" if not provision.text else f"方案关于{about}的内容过于简略，没有写明怎么做"
    return None if provision.chapter else f"没有写明{about}在方案的哪一章节"


def _issuing(plan: Plan) -> str | None:
    return _unsaid(plan.issuing, "电子证照的签发")


def _using(plan: Plan) -> str | None:
    return _unsaid(plan.using, "电子证照的使用")


def _sharing(plan: Plan) -> str | None:
    return _unsaid(plan.sharing, "电子证照的共享")


def _own_copies(plan: Plan) -> str | None:
    return "系统自建证照库或者留存证照数据，没有通过用证接口使用" if plan.own_copies else None


def _other_access(plan: Plan) -> str | None:
    if plan.uses and plan.access is Access.OTHER and not says_something(plan.access_reason):
        return "不通过用证接口使用电子证照，没有写明理由"
    return None


def _no_paper(plan: Plan) -> str | None:
    return _unsaid(plan.no_paper, "不再要求纸质证照的安排") if plan.uses else None


def _items_without_use(plan: Plan) -> str | None:
    named = {use.item_code for use in plan.uses}
    silent = [
        f"{item.name}（{item.code}）"
        for item in plan.touched
        if item.code not in named and not says_something(item.without)
    ]
    return f"{'、'.join(silent)}没有列出要使用的电子证照，也没有说明为什么不使用" if silent else None


def _presentation(plan: Plan) -> str | None:
    if not plan.uses or any(use.holder_alone for use in plan.uses):
        return None
    unsaid = _unsaid(plan.presentation, "持证主体单独出示电子证照的场景")
    return f"没有一条可以单独出示，{unsaid}" if unsaid else None


def _archiving(plan: Plan) -> str | None:
    return _unsaid(plan.archiving, "存档副本的取得和保管") if plan.uses else None


def _logging(plan: Plan) -> str | None:
    return _unsaid(plan.logging, "电子证照应用全过程的日志")


def _level(plan: Plan) -> str | None:
    return "没有确定网络安全等级保护的级别" if plan.security_level is SecurityLevel.NONE else None


def _level_at_scale(plan: Plan) -> str | None:
    levels = list(SecurityLevel)
    graded = plan.security_level is not SecurityLevel.NONE
    if (
        graded
        and needs_third_level(plan.persons)
        and levels.index(plan.security_level) < levels.index(SecurityLevel.THIRD)
    ):
        return f"处理约{plan.persons}人的个人信息，等级保护定为{plan.security_level}，低于第三级"
    return None


def needs_third_level(persons: int) -> bool:
    """Whether a system that holds information of so many people needs the third level (internal rule).

    >>> needs_third_level(99_999), needs_third_level(100_000)
    (False, True)
    """
    return persons >= PERSONS_AT_SCALE.value


@dataclass(frozen=True, slots=True)
class GateRule:
    """One thing that a plan has to say: ``missing`` is what it lacks, in Chinese, or ``None``."""

    code: str
    article: int
    missing: Callable[[Plan], str | None]
    write: str


GATE: tuple[GateRule, ...] = (
    GateRule("issuing", 17, _issuing, "写明办结后签发哪些电子证照、怎样归集；不产生证照的，写明理由，并注明方案章节。"),
    GateRule("using", 17, _using, "写明各事项在哪个环节使用哪些电子证照，并注明方案章节。"),
    GateRule("sharing", 17, _sharing, "写明本系统产生的证照信息怎样共享给其他部门；不共享的写明理由，并注明方案章节。"),
    GateRule("own-copies", 6, _own_copies, "取消自建证照库，改为办理业务时调用用证接口。"),
    GateRule("access", 6, _other_access, "改为调用用证接口；确实不能调用的，写明理由和替代方式。"),
    GateRule(
        "no-paper", 8, _no_paper, "写明对可以通过区电子证照系统获得的证照，怎样在流程中不再要求纸质，并注明方案章节。"
    ),
    GateRule(
        "use-list",
        9,
        _items_without_use,
        "对每个事项列出用证清单条目（证照类型、场景、字段）；不需要证照的写明理由。",
    ),
    GateRule(
        "presentation",
        10,
        _presentation,
        "标明哪些条目可以由持证主体单独出示；都不可以的，写明理由，并注明方案章节。",
    ),
    GateRule(
        "archiving", 11, _archiving, "写明通过区电子证照系统取得存档副本，不以截图、扫描、拍照代替，并注明方案章节。"
    ),
    GateRule("logging", 14, _logging, "写明身份认证、访问控制和日志记录、留存的做法，并注明方案章节。"),
    GateRule("level", 15, _level, "写明等级保护的级别（GB/T 22240），并按该级别的基本要求（GB/T 22239）建设。"),
    GateRule("level-at-scale", 15, _level_at_scale, f"处理{PERSONS_AT_SCALE.value}人以上个人信息的，按第三级建设。"),
)


def gaps(plan: Plan) -> tuple[Gap, ...]:
    """What a plan lacks before it can be reviewed, in the order of ``GATE``; nothing for one that can be."""
    found = ((rule, rule.missing(plan)) for rule in GATE)
    return tuple(Gap(rule.article, what, rule.write) for rule, what in found if what is not None)


def stage_after_gate(plan: Plan) -> tuple[Stage, tuple[Gap, ...]]:
    """Where the gate sends a submission, and why it is not reviewed if it is not."""
    if outside_because(plan) is not None:
        return Stage.OUTSIDE, ()
    lacking = gaps(plan)
    return (Stage.NOT_REVIEWED, lacking) if lacking else (Stage.IN_REVIEW, ())


def remarks(plan: Plan) -> list[str]:
    """What reviewers are asked to look at in a plan that the gate lets pass."""
    said = []
    if plan.access is Access.OTHER:
        said.append("第六条：不通过用证接口使用电子证照，请判断理由是否成立")
    if without := [f"{item.name}（{item.code}）" for item in plan.touched if item.without]:
        said.append(f"第九条：{'、'.join(without)}写明不使用电子证照，请判断理由是否成立")
    if plan.uses and not any(use.holder_alone for use in plan.uses):
        said.append("第十条：没有可以单独出示的条目，请判断理由是否成立")
    return said


def check_uses(items: Sequence[ServiceItem], uses: Sequence[PlannedUse]) -> None:
    """Raise ``InputError`` for items or uses that are listed twice and for a use of an item that is not the project's.

    >>> check_uses([], [PlannedUse("A-1", "T", "窗口", ("name",))])
    Traceback (most recent call last):
    runtime.refusals.InputError: 用证条目第1行的事项“A-1”不在本项目的事项中，请补列该事项或更正编码。
    """
    codes = [item.code for item in items]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise InputError(f"事项{'、'.join(twice)}列了不止一次，请合并。")
    seen: dict[tuple[str, str, str], int] = {}
    for place, use in enumerate(uses, 1):
        if use.item_code not in codes:
            raise InputError(f"用证条目第{place}行的事项“{use.item_code}”不在本项目的事项中，请补列该事项或更正编码。")
        first = seen.setdefault((use.item_code, use.type_code, use.scenario), place)
        if first != place:
            raise InputError(f"用证条目第{place}行与第{first}行重复（事项、证照类型、场景都相同），请合并。")


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed in a line from one version of a submission to the next; empty text: the line was not there."""

    title: str
    before: str
    after: str


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """What changed from one version to the next, both by title of the line, in the order of the later one.

    >>> differences({"共享": "", "签发": "a", "旧": "x"}, {"签发": "a", "共享": "b"})
    [Difference(title='共享', before='', after='b'), Difference(title='旧', before='x', after='')]
    """
    titles = [*after, *(title for title in before if title not in after)]
    pairs = ((title, before.get(title, ""), after.get(title, "")) for title in titles)
    return [Difference(title, was, now) for title, was, now in pairs if was != now]


def reference(number: str, check: str) -> str:
    """The reference of a review that was passed (评审意见书编号): a number without gaps and a check value, which
    cannot be made up without the keys.

    >>> reference("PY-2026-000001", "4f0c9a3b1d5e77")
    'PY-2026-000001-4F0C9A3B1D'
    """
    return f"{number}-{check[:10].upper()}"


REFERENCE = re.compile(r"PY-[0-9]{4}-[0-9]{6,9}-[0-9A-F]{10}", re.ASCII)


def check_planned_day(on: date, today: date) -> None:
    """Raise ``InputError`` for a planned day of going live that has passed or is more than ``GO_LIVE_AHEAD`` away."""
    if on < today:
        raise InputError(f"计划上线日期{on}已过，请填今天（{today}）或以后的日期。")
    if on > today + timedelta(days=GO_LIVE_AHEAD.value):
        raise InputError(f"计划上线日期{on}过于久远，最晚为{today + timedelta(days=GO_LIVE_AHEAD.value)}，请更正。")


def check_live_day(on: date, passed_on: date, today: date) -> None:
    """Raise ``InputError`` for a day of having gone live that is still to come or before the review was passed."""
    if on > today:
        raise InputError(f"上线日期{on}还没有到；计划有变的请用“改期”。")
    if on < passed_on:
        raise InputError(f"上线日期{on}早于评审通过的{passed_on}，请更正；未经评审先行上线的，请联系综合管理单位。")


@dataclass(frozen=True, slots=True)
class Promise:
    """A promised line of the use list as it is found after the system went live."""

    item_code: str
    item_name: str
    certificate: str
    scenario: str
    listed: bool
    used: bool

    @property
    def subject(self) -> str:
        """What within the department a finding about this line is about."""
        return f"{self.item_code} {self.certificate}（{self.scenario}）"


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept: the code of the rule, what it is about, and the facts in Chinese."""

    rule: str
    subject: str
    facts: str


def broken_promises(project: str, promises: Sequence[Promise], live_on: date, today: date) -> list[Broken]:
    """What a system that went live on ``live_on`` does not keep of what was promised. The days of grace are over.

    A certificate that is never used is found where others of its item are: the item is in business. Where nothing of an
    item is used, ``GO_LIVE_SILENCE`` days pass first.

    >>> used = Promise("A-1", "食品经营许可", "营业执照", "窗口受理", listed=True, used=True)
    >>> never = Promise("A-1", "食品经营许可", "居民身份证", "窗口受理", listed=True, used=False)
    >>> [broken.rule for broken in broken_promises("某系统", [used, never], date(2026, 3, 2), date(2026, 3, 20))]
    ['go-live-certificate-unused']
    >>> broken_promises("某系统", [never], date(2026, 3, 2), date(2026, 3, 20))
    []
    """
    since = f"“{project}”{live_on}上线，"
    found = []
    for each in promises:
        what = f"“{each.item_name}”（{each.item_code}）在“{each.scenario}”使用{each.certificate}"
        if not each.listed:
            facts = f"{since}评审时承诺{what}，用证清单中至今没有这一条。"
            found.append(Broken(NOT_LISTED.code, each.subject, facts))
        elif not each.used and any(other.used for other in promises if other.item_code == each.item_code):
            facts = f"{since}评审时承诺{what}，该事项的其他证照已在使用，这一种从未使用。"
            found.append(Broken(CERTIFICATE_UNUSED.code, each.subject, facts))
    days = (today - live_on).days
    if days >= GO_LIVE_SILENCE.value:
        for code in dict.fromkeys(each.item_code for each in promises):
            lines = [each for each in promises if each.item_code == code]
            if any(each.listed for each in lines) and not any(each.used for each in lines):
                facts = f"{since}至{today}已{days}天，事项“{lines[0].item_name}”（{code}）没有使用过任何电子证照。"
                found.append(Broken(ITEM_UNUSED.code, code, facts))
    return found
