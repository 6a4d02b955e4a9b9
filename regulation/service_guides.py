"""Service guides (办事指南) against what the measures ask for: what a guide, a visit or a citizen shows to be wrong.

第八条：电子证照使用部门对可以通过区电子证照系统获得的电子证照不再要求电子证照持证主体提供纸质证照。
第九条：电子证照使用部门应细化应用场景，依据职能在用证清单范围内使用电子证照。
第十条：电子证照使用部门应当明确持证主体可以单独出示电子证照的应用场景……
第十一条：电子证照使用部门应当通过区电子证照系统获得有效的电子证照及存档副本……证照复制件不支持作为电子证照使用。
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from regulation.findings import FindingRule, Severity, Source


class DemandedForm(StrEnum):
    """In what form a guide demands a material."""

    PAPER = "纸质原件"
    COPY = "复印件"
    ELECTRONIC = "电子"
    FETCHED = "由系统获取"


class Demand(StrEnum):
    """What a counter asked of somebody who came to it."""

    PAPER = "要求提供纸质原件"
    COPY = "要求提供复印件"
    NO_PRESENTATION = "不接受手机亮证"
    NOTHING = "接受电子证照"


@dataclass(frozen=True, slots=True)
class Material:
    """A material of a guide. ``type_code`` is the catalogue's type, ``None`` for what is no certificate;
    ``presented_in`` are the scenarios in which the guide lets it be presented on the phone."""

    name: str
    type_code: str | None
    form: DemandedForm
    required: bool
    basis: str
    presented_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """A service item's guide as it is in force."""

    department_uscc: str
    item_code: str
    item_name: str
    version: int
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the use list: a scenario in which an item uses a type, and whether its holder may present it alone
    (Article 10)."""

    scenario: str
    holder_alone: bool


@dataclass(frozen=True, slots=True)
class PaperLaw:
    """A law on the register of Article 7 that demands a type on paper; ``item_code`` of ``None``: for every item."""

    type_code: str
    item_code: str | None
    from_on: date
    until_on: date | None

    def covers(self, type_code: str, item_code: str, on: date) -> bool:
        """Whether it holds on a day for a type and an item, its last day included.

        >>> law = PaperLaw("T", None, date(2026, 1, 1), date(2026, 6, 30))
        >>> law.covers("T", "330603-MZ-001", date(2026, 6, 30)), law.covers("T", "330603-MZ-001", date(2026, 7, 1))
        (True, False)
        """
        meant = self.type_code == type_code and self.item_code in {None, item_code}
        return meant and self.from_on <= on and (self.until_on is None or on <= self.until_on)


@dataclass(frozen=True, slots=True)
class Known:
    """What a comparison knows on a day: the catalogue's names by code, which of its types the system can give, the
    laws that demand paper, and a department's use list by item and type."""

    on: date
    names: Mapping[str, str]
    available: Collection[str]
    laws: Sequence[PaperLaw]
    listed: Mapping[tuple[str, str], Sequence[Listed]]

    def can_give(self, type_code: str | None, item_code: str) -> bool:
        """Whether the system can give a type for an item and no law demands it on paper (Articles 7 and 8)."""
        return type_code in self.available and not any(
            law.covers(type_code, item_code, self.on) for law in self.laws if type_code is not None
        )

    def promised(self, type_code: str | None, item_code: str) -> list[str]:
        """The scenarios in which the use list lets a holder present a type alone (Article 10)."""
        entries = self.listed.get((item_code, type_code or ""), ())
        return [each.scenario for each in entries if each.holder_alone]


def _rule(code: str, title: str, article: int, severity: Severity, source: Source, *, rerun: bool) -> FindingRule:
    return FindingRule(code=code, title=title, article=article, severity=severity, source=source, rerun=rerun)


_PAPER, _COPY, _PHONE = (
    "要求提供可以由系统获得的纸质证照",
    "要求提供可以由系统获得的证照的复印件",
    "承诺可以单独出示的场景不接受亮证",
)
GUIDE_PAPER = _rule("guide-paper", f"办事指南{_PAPER}", 8, Severity.MAJOR, Source.MYSTERY, rerun=True)
GUIDE_COPY = _rule("guide-copy", f"办事指南{_COPY}", 11, Severity.MAJOR, Source.MYSTERY, rerun=True)
GUIDE_PHONE = _rule("guide-presentation", f"办事指南中{_PHONE}", 10, Severity.MINOR, Source.MYSTERY, rerun=True)
GUIDE_UNLISTED = _rule(
    "guide-unlisted", "办事指南所需证照未列入用证清单", 9, Severity.MINOR, Source.MYSTERY, rerun=True
)
TRIAL_ACCESS = _rule("trial-access", "部门应用不能调用用证接口", 6, Severity.MAJOR, Source.MYSTERY, rerun=False)
TRIAL_ENTRY = _rule("trial-entry", "用证清单条目实际不能用证", 9, Severity.MAJOR, Source.MYSTERY, rerun=False)
VISIT_RULES = {
    Demand.PAPER: _rule("visit-paper", f"窗口{_PAPER}", 8, Severity.MAJOR, Source.VISIT, rerun=False),
    Demand.COPY: _rule("visit-copy", f"窗口{_COPY}", 11, Severity.MAJOR, Source.VISIT, rerun=False),
    Demand.NO_PRESENTATION: _rule("visit-presentation", f"窗口{_PHONE}", 10, Severity.MINOR, Source.VISIT, rerun=False),
}
CITIZEN_RULES = {
    Demand.PAPER: _rule("citizen-paper", f"群众反映窗口{_PAPER}", 8, Severity.MAJOR, Source.CITIZEN, rerun=False),
    Demand.COPY: _rule("citizen-copy", f"群众反映窗口{_COPY}", 11, Severity.MAJOR, Source.CITIZEN, rerun=False),
    Demand.NO_PRESENTATION: _rule(
        "citizen-presentation", f"群众反映窗口{_PHONE}", 10, Severity.MINOR, Source.CITIZEN, rerun=False
    ),
}
GUIDE_RULES = (GUIDE_PAPER, GUIDE_COPY, GUIDE_PHONE, GUIDE_UNLISTED)
RULES = (*GUIDE_RULES, TRIAL_ACCESS, TRIAL_ENTRY, *VISIT_RULES.values(), *CITIZEN_RULES.values())


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a guide: the rule, what within the department it is about, and facts in Chinese."""

    rule: FindingRule
    subject: str
    facts: str


def subject_of(item_code: str, type_name: str) -> str:
    """What a finding is about within a department: a service item and a certificate type.

    >>> subject_of("330603-MZ-001", "结婚证")
    '330603-MZ-001 结婚证'
    """
    return f"{item_code} {type_name}"


def compare(guide: Guide, known: Known) -> list[Wrong]:
    """What is wrong with a guide, each rule once for a certificate type.

    =============  ============================================================================================
    rule           a required material that is a certificate which the system can give, and
    =============  ============================================================================================
    Article 8      it is demanded as a paper original
    Article 11     it is demanded as a copy
    Article 9      the department's use list has no entry for the item with it: it could not take it electronically
    Article 10     the use list promises a scenario in which its holder presents it alone, the guide does not
                   name that scenario, and it is not fetched without the holder
    =============  ============================================================================================

    "Can give": the catalogue has the type, certificates of it are held or read through, and no law on the register of
    Article 7 demands it on paper for the item. A law that only the guide itself names excepts nothing.

    >>> card = Material("身份证", "T", DemandedForm.PAPER, True, "", ())
    >>> known = Known(date(2026, 3, 2), {"T": "居民身份证"}, {"T"}, [], {("i", "T"): [Listed("窗口", False)]})
    >>> [(wrong.rule.code, wrong.subject) for wrong in compare(Guide("u", "i", "某事项", 1, (card,)), known)]
    [('guide-paper', 'i 居民身份证')]
    """
    found: dict[tuple[FindingRule, str], list[str]] = {}
    for material in guide.materials:
        if (
            not material.required
            or material.type_code is None
            or not known.can_give(material.type_code, guide.item_code)
        ):
            continue
        subject = subject_of(guide.item_code, known.names[material.type_code])
        for rule, facts in _of_material(guide, material, known):
            found.setdefault((rule, subject), []).append(facts)
    return [Wrong(rule, subject, "".join(dict.fromkeys(facts))) for (rule, subject), facts in found.items()]


def _of_material(guide: Guide, material: Material, known: Known) -> list[tuple[FindingRule, str]]:
    type_code = material.type_code or ""
    name = known.names[type_code]
    where = f"“{guide.item_name}”（{guide.item_code}）办事指南第{guide.version}版的材料“{material.name}”"
    basis = f"所列依据“{material.basis}”未登记为法定纸质例外（第七条）。" if material.basis else ""
    said: list[tuple[FindingRule, str]] = []
    if material.form is DemandedForm.PAPER:
        said.append((GUIDE_PAPER, f"{where}要求提供纸质原件，“{name}”可以由区电子证照系统获得。{basis}"))
    if material.form is DemandedForm.COPY:
        said.append((GUIDE_COPY, f"{where}要求提供复印件，“{name}”的存档副本可以由区电子证照系统获得。{basis}"))
    if not known.listed.get((guide.item_code, type_code)):
        said.append((GUIDE_UNLISTED, f"{where}需要“{name}”，本部门用证清单没有本事项使用它的条目，窗口无法用证。"))
    if material.form is not DemandedForm.FETCHED:
        promised = known.promised(type_code, guide.item_code)
        if missing := [scenario for scenario in promised if scenario not in material.presented_in]:
            scenarios = "、".join(f"“{scenario}”" for scenario in missing)
            said.append((GUIDE_PHONE, f"用证清单写明{scenarios}场景可以单独出示“{name}”，{where}没有写明可以亮证。"))
    return said


def excuse(demand: Demand, type_code: str | None, item_code: str, known: Known) -> str | None:
    """Why what a counter demanded is no finding, in Chinese; ``None`` when it is one.

    >>> known = Known(date(2026, 3, 2), {"T": "居民身份证"}, {"T"}, [], {})
    >>> excuse(Demand.PAPER, "T", "i", known)
    >>> excuse(Demand.NO_PRESENTATION, "T", "i", known)
    '用证清单没有承诺本事项可以单独出示这类证照（第十条）'
    """
    if demand is Demand.NOTHING:
        return "窗口接受电子证照"
    if type_code is None:
        return "所要求的材料不是证照目录中的证照"
    if type_code not in known.available:
        return "这类证照目前不能由区电子证照系统获得（第八条）"
    if not known.can_give(type_code, item_code):
        return "法律、法规要求纸质证照，已登记为法定纸质例外（第七条）"
    if demand is Demand.NO_PRESENTATION and not known.promised(type_code, item_code):
        return "用证清单没有承诺本事项可以单独出示这类证照（第十条）"
    return None


def changes(before: Guide | None, after: Guide) -> list[str]:
    """What a new version of a guide changes, in Chinese and one thing a text; nothing for the same guide.

    >>> card = Material("身份证", "T", DemandedForm.COPY, True, "", ())
    >>> old = Guide("u", "i", "某事项", 1, (card,))
    >>> changes(old, Guide("u", "i", "某事项", 2, ()))
    ['减少材料“身份证”']
    >>> changes(None, old)
    ['新的办事指南，材料1项']
    """
    if before is None:
        return [f"新的办事指南，材料{len(after.materials)}项"]
    said = []
    if before.item_name != after.item_name:
        said.append(f"事项名称由“{before.item_name}”改为“{after.item_name}”")
    old = {material.name: material for material in before.materials}
    new = {material.name: material for material in after.materials}
    said += [f"增加材料“{name}”（{material.form}）" for name, material in new.items() if name not in old]
    said += [f"减少材料“{name}”" for name in old if name not in new]
    for name, material in new.items():
        if name in old and old[name] != material:
            said.append(f"材料“{name}”：{'，'.join(_differences(old[name], material))}")
    return said


def _differences(old: Material, new: Material) -> list[str]:
    said = []
    if old.type_code != new.type_code:
        said.append("证照类型变更")
    if old.form != new.form:
        said.append(f"形式由“{old.form}”改为“{new.form}”")
    if old.required != new.required:
        said.append("改为必要" if new.required else "改为非必要")
    if old.basis != new.basis:
        said.append("法定依据变更")
    if old.presented_in != new.presented_in:
        said.append(f"亮证场景改为{'、'.join(new.presented_in) or '无'}")
    return said
