"""Objections to certificate data (Article 12): who may object, on which grounds, through which stages, and who answers.

第十二条：电子证照使用部门、持证主体及其他社会用证主体对电子证照信息准确性、完整性、时效性有异议的，有权向综合管理单位提出核查申请。
综合管理单位应当在收到异议申请5个工作日内，向省、市大数据局提出数据核实需求，核实后由综合管理单位将处理结果告知异议申请人。
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from regulation.certificates import Level
from regulation.limits import URGES_BEFORE_ESCALATION
from regulation.stages import Stages
from runtime.words import folded


class ObjectorKind(StrEnum):
    """Who may object (Article 12)."""

    HOLDER = "持证主体"
    DEPARTMENT = "使用部门"
    OTHER_USER = "社会用证主体"


class Capacity(StrEnum):
    """In which capacity somebody objects in the place of whoever has the right to (Article 12)."""

    AGENT = "委托代理人"
    GUARDIAN = "监护人"
    HEIR = "继承人"
    SUCCESSOR = "承继单位"


SHOWN_BY = {
    Capacity.AGENT: "授权委托书",
    Capacity.GUARDIAN: "监护关系的证明",
    Capacity.HEIR: "死亡证明和继承关系的证明",
    Capacity.SUCCESSOR: "合并、分立或者承继的文件",
}
"""What shows it: Civil Code Art. 165 (a mandate is written), 27 and 28 (guardians), 1121 and 1127 (heirs), 67 (who
takes over rights and duties of a legal person that was merged or split)."""


class Ground(StrEnum):
    """What an objection may be about (Article 12).

    ``MISSING`` is a case of completeness of its own: the measures speak of the information of certificates, and where
    there should be one and is none, nothing else can be said of it. It has no number and no field, and stands alone.
    """

    ACCURACY = "准确性"
    COMPLETENESS = "完整性"
    TIMELINESS = "时效性"
    MISSING = "应当有而没有的证照"


class Way(StrEnum):
    """How an objection reached the Center (Article 12): the measures leave it to whoever objects."""

    IN_PERSON = "来访"
    BY_LETTER = "来信"
    BY_PHONE = "来电"
    REFERRED = "转办"
    ONLINE = "网上"


ON_PAPER = frozenset({Way.BY_LETTER, Way.REFERRED})
"""Ways that leave a paper, which is kept with the case."""

WHOLE = "整件证照"
"""What an objection to a missing certificate is about, in place of a field."""
NO_SUCH = "没有这件证照"
"""What stands on a missing certificate."""

_OPENS, _CLOSES = "<[(【〔《", ">])】〕》"
_NOTHING = re.compile(r"[\W_0〇零]*|[x×]+")
_NO_NUMBER = re.compile(
    r"(暂|尚)?(无|没有?|不存在|未知|不详|不明|不清楚|不知道?|忘记?|缺失?|未填写?|待补充?|待定|空白?|详?见附件|同上)"
    r"(此|该|这件|这个)?(电子)?(证照|证书|证件|执照|证)?(的?(编号|号码|号|标识))?"
)
# What nearly all values are, a million of them in a batch: looked at first, because it needs nothing else. No word for
# nothing begins or counts like this.
_ORDINARY = re.compile("(?![暂尚无没不未待忘缺空见详同零])[\u4e00-\u9fff][^{}｛｝]*|[^{}｛｝]*[1-9][^{}｛｝]*")
_ELSEWHERE = re.compile(r"(暂|尚)?未填写?|待补充?|详?见附件|同上")
_NO_VALUE = frozenset({"null", "nil", "none", "nan", "na", "n/a", "n.a.", "undefined", "unknown", "test"})


def is_placeholder(number: str) -> bool:
    """Whether what stands in place of a certificate's number is none: a template that was not filled in, a word for
    nothing, or strokes and zeros only.

    Strangers who typed the same placeholder would be taken to mean the same certificate.

    >>> [is_placeholder(text) for text in ("{证照编号}", "没有", "Ｎ／Ａ", "——", "0000", " ")]
    [True, True, True, True, True, True]
    >>> [is_placeholder(text) for text in ("浙(2019)柯桥区不动产权第0000001号", "无锡市字第9号", "NA1024")]
    [False, False, False]
    """
    if _ORDINARY.fullmatch(number):
        return False
    said = folded(number)
    in_brackets = said[:1] in _OPENS and said[-1:] in _CLOSES and not any(map(str.isdecimal, said))
    unfilled = "{" in said or "}" in said or in_brackets
    return unfilled or said in _NO_VALUE or any(kind.fullmatch(said) for kind in (_NOTHING, _NO_NUMBER))


def is_unwritten(text: str) -> bool:
    """Whether what stands in place of a text says only that it stands elsewhere, or nowhere yet. Of texts "无" is one:
    certificates print it.

    >>> [is_unwritten(text) for text in ("见附件", "{经营范围}", "N/A", "无", "不详")]
    [True, True, True, False, False]
    """
    said = folded(text)
    return "{" in said or "}" in said or said in _NO_VALUE or _ELSEWHERE.fullmatch(said) is not None


class Stage(StrEnum):
    """Where an objection stands. The values are what staff and applicants read."""

    REGISTERED = "待初审"
    SUPPLEMENT = "待补正"
    ACCEPTED = "待发出核实"
    VERIFYING = "核实中"
    REPLIED = "待拟定结果"
    DECIDED = "待告知"
    JOINED = "已并案"
    CLOSED = "已办结"
    DECLINED = "不予受理"
    WITHDRAWN = "已撤回"
    ANSWERED = "已有结论"


DISPUTED = frozenset({Stage.ACCEPTED, Stage.VERIFYING, Stage.REPLIED, Stage.DECIDED})
"""While a case is here its certificate carries the dispute mark: from acceptance to the end (DB3208/T 219-2024)."""

_WITHDRAWABLE = frozenset(
    {Stage.REGISTERED, Stage.SUPPLEMENT, Stage.ACCEPTED, Stage.VERIFYING, Stage.REPLIED, Stage.JOINED}
)
_JOINABLE = frozenset({Stage.REGISTERED, Stage.SUPPLEMENT, Stage.ACCEPTED})
_NEXT = {
    Stage.REGISTERED: {Stage.SUPPLEMENT, Stage.ACCEPTED, Stage.DECLINED, Stage.ANSWERED},
    Stage.SUPPLEMENT: {Stage.REGISTERED},
    Stage.ACCEPTED: {Stage.VERIFYING, Stage.REPLIED},
    Stage.VERIFYING: {Stage.REPLIED},
    Stage.REPLIED: {Stage.DECIDED},
    Stage.DECIDED: {Stage.CLOSED},
    # A joined objection goes on by itself when its lead was declined, and is declined itself when the case went on for
    # it because its lead was withdrawn; it ends with its lead otherwise.
    Stage.JOINED: {Stage.REGISTERED, Stage.DECLINED, Stage.ANSWERED, Stage.CLOSED},
}


class Verdict(StrEnum):
    """What the initial review may say.

    ``ANSWERED``: the same was asked and decided before, and nothing new is stated. The measures are silent on
    repetition; the objector is owed the result and its reasons (Article 12), not the same verification again.
    """

    ACCEPT = "受理"
    DECLINE = "不予受理"
    SUPPLEMENT = "要求补正"
    ANSWERED = "已有结论"


FINAL = frozenset({Verdict.DECLINE, Verdict.ANSWERED})
"""Verdicts that end an objection: another than the reviewer approves them first."""


class Finding(StrEnum):
    """What the bureau found about the disputed value."""

    WRONG = "原数据有误"
    PARTLY_WRONG = "原数据部分有误"
    RIGHT = "原数据无误"
    UNCLEAR = "无法核实"


FOUND_WRONG = (Finding.WRONG, Finding.PARTLY_WRONG)
"""Findings that say what is right."""


class Outcome(StrEnum):
    """How an objection ends."""

    CORRECTED = "已更正"
    PARTLY_CORRECTED = "部分更正"
    UPHELD = "维持原信息"
    UNDETERMINED = "无法认定"
    SYNCED = "已同步"
    """The source is right and our copy was not: what the objector saw was wrong, so it is not upheld."""


CORRECTING = frozenset({Outcome.CORRECTED, Outcome.PARTLY_CORRECTED})


class Bureau(StrEnum):
    """The superior bureaus of Article 12. The values are what people read."""

    CITY = "绍兴市大数据局"
    PROVINCE = "浙江省大数据局"


class Pursuit(StrEnum):
    """What is done to get a verification reply."""

    REQUEST = "提出核实需求"
    URGE = "催办"
    ESCALATE = "报省核实"
    AGAIN = "重新提出"
    LETTER = "书面发函"


def may_withdraw(stage: Stage) -> bool:
    """Whether the objector may still withdraw: until the outcome is decided.

    >>> may_withdraw(Stage.VERIFYING), may_withdraw(Stage.DECIDED)
    (True, False)
    """
    return stage in _WITHDRAWABLE


def may_be_joined(stage: Stage) -> bool:
    """Whether a later objection to the same field of the same certificate may join a case (并案): while nothing was
    asked of the bureau yet. The measures are silent on joining; whoever comes later has a right to a request of their
    own (Article 12).

    >>> may_be_joined(Stage.REGISTERED), may_be_joined(Stage.VERIFYING)
    (True, False)
    """
    return stage in _JOINABLE


STAGES = Stages(
    "异议（第十二条）",
    {now: _NEXT.get(now, set()) | ({Stage.WITHDRAWN} if may_withdraw(now) else set()) for now in Stage},
)


def answering_bureau(source: Level) -> Bureau:
    """The bureau that answers for a certificate type: the province for provincial types, the city for all others.

    >>> answering_bureau(Level.PROVINCE).value
    '浙江省大数据局'
    """
    return Bureau.PROVINCE if source is Level.PROVINCE else Bureau.CITY


@dataclass(frozen=True, slots=True)
class Pursued:
    """One thing that was done to get a reply, and at which bureau."""

    pursuit: Pursuit
    bureau: Bureau


def pursuit_after_silence(history: Sequence[Pursued]) -> Pursued:
    """What follows when a time limit passes without a reply: urge twice, then from the city up to the province.

    ``history`` starts with the request. At the province there is nowhere higher: it is urged again each time. The
    measures set no limit for the answer from above; the number of urges is the Center's own (limits.py).

    >>> ask = Pursued(Pursuit.REQUEST, Bureau.CITY)
    >>> urge = Pursued(Pursuit.URGE, Bureau.CITY)
    >>> [pursuit_after_silence(past).pursuit.value for past in ([ask], [ask, urge], [ask, urge, urge])]
    ['催办', '催办', '报省核实']
    """
    bureau = history[-1].bureau
    urges = sum(1 for past in history if past == Pursued(Pursuit.URGE, bureau))
    if bureau is Bureau.CITY and urges >= URGES_BEFORE_ESCALATION.value:
        return Pursued(Pursuit.ESCALATE, Bureau.PROVINCE)
    return Pursued(Pursuit.URGE, bureau)


def outcomes_for(finding: Finding, as_claimed: bool) -> frozenset[Outcome]:
    """The outcomes that a bureau's finding allows: staff decide, but not against the finding. ``as_claimed``: what the
    certificate is to say is all that was claimed, and so nothing of it is corrected only in part.

    >>> sorted(outcome.value for outcome in outcomes_for(Finding.RIGHT, as_claimed=False))
    ['已同步', '维持原信息']
    >>> sorted(outcome.value for outcome in outcomes_for(Finding.WRONG, as_claimed=False))
    ['已更正', '部分更正']
    >>> sorted(outcome.value for outcome in outcomes_for(Finding.WRONG, as_claimed=True))
    ['已更正']
    """
    if as_claimed and finding in FOUND_WRONG:
        return frozenset({Outcome.CORRECTED})
    return {
        Finding.WRONG: frozenset({Outcome.CORRECTED, Outcome.PARTLY_CORRECTED}),
        Finding.PARTLY_WRONG: frozenset({Outcome.PARTLY_CORRECTED}),
        Finding.RIGHT: frozenset({Outcome.UPHELD, Outcome.SYNCED}),
        Finding.UNCLEAR: frozenset({Outcome.UNDETERMINED}),
    }[finding]
