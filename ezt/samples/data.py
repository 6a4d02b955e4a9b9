"""Sample data for trying things out: invented, reproducible from a seed, and formally valid.

What is real in them stands in ``ezt.samples.catalogue``. Invented, though formally valid, are all credit codes, people,
companies and certificates. The applications' secrets and the officers' code secrets follow from
the seed: whoever has this file knows them, which is why ``load`` refuses a register that holds anybody else.

Every draw depends on the seed and on what it is drawn for, never on a draw before it, so larger ``Sizes`` add to what
is there and change nothing of it.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Table, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ezt.installation import check_ready
from ezt.samples.catalogue import (
    BIRTH,
    CITY,
    DEPARTMENTS,
    DRIVING_LICENCE,
    FORMER_AUTHORITIES,
    IDENTITY_CARD,
    KEQIAO,
    KINDS,
    LICENCE,
    PERMITS,
    PERSONAL,
    ROADS,
    SHAOXING_COUNTY,
    TOWNS,
    USE_LIST,
    WORDS,
    Dice,
    Kind,
)
from ezt.samples.guides import service_guides
from gateways.certificate_platform import Found, certificate_mapping
from gateways.stand_in import in_their_words
from gateways.zheliban import Person
from models.base import Base
from models.certificates import Certificate, CertificateHolder, CertificateType, IssuingAuthority
from models.desk import DeskPhrase
from models.liaisons import LiaisonOfficer
from models.organisations import Application, ApplicationKind, ApplicationSecret, Department, Officer, Role
from models.service_guides import ServiceGuide
from models.spot_checks import Inspector, InspectorConflict, Ties
from models.use_lists import UseListEntry, UseListVersion
from regulation.backfill.judge import Columns, Judge, PaperType
from regulation.backfill.paper_values import BETWEEN
from regulation.catalogue import HolderKind, valid_until
from regulation.certificates import CertificateState, Identifier, Level
from regulation.identity_numbers import NumberKind
from regulation.objections import Bureau
from regulation.register_columns import read_off
from runtime import clock
from runtime.database import insert_many, transaction
from runtime.keys import keys
from runtime.refusals import RefusalError
from tasks.register.trial_holders import create_trial_holders
from tasks.register.versions import as_holders, as_row, columns_of

T = TypeVar("T")

DEFAULT_SEED = 1
AS_OF = date(2026, 1, 1)
"""The day on which the sample was drawn; it decides which certificates have expired, so that no clock does."""

OFFICERS = (
    ("KQ001", "陈柯宁", Role.OFFICER),
    ("KQ002", "俞若溪", Role.OFFICER),
    ("KQ003", "金以恒", Role.OFFICER),
    ("KQ004", "傅知远", Role.DIRECTOR),
)
PHRASES = (
    (
        "initial-review",
        "reason",
        (
            "所述项目不是证照登记的信息，不属于异议核查的范围。",
            "请补充能够证明正确内容的材料，如原证照、登记档案的复印件。",
        ),
    ),
    (
        "outcome",
        "reason",
        (
            "经上级核实，登记的内容有误，已按核实结果更正。",
            "经上级核实，登记的内容与颁证机构的档案一致，维持原信息。",
        ),
    ),
    ("backfill-review", "reason", ("扫描件不清楚，看不清编号和印章，请重新扫描后提交。",)),
    ("extension-decision", "reason", ("理由充分，同意延期，请按延期后的日期完成整改。",)),
)
"""Usual reasons (常用语), by the question and its field."""
APPLICATIONS = (
    ("KQ-SCJG", ApplicationKind.DEPARTMENT, DEPARTMENTS[0]),
    ("KQ-ZRZY", ApplicationKind.DEPARTMENT, DEPARTMENTS[1]),
    ("KQ-JT", ApplicationKind.DEPARTMENT, DEPARTMENTS[2]),
    ("KQ-WJ", ApplicationKind.DEPARTMENT, DEPARTMENTS[3]),
    ("KQ-JS", ApplicationKind.DEPARTMENT, DEPARTMENTS[4]),
    ("KQ-MZ", ApplicationKind.DEPARTMENT, DEPARTMENTS[5]),
    ("KQ-GA", ApplicationKind.DEPARTMENT, DEPARTMENTS[6]),
    ("KQ-RS", ApplicationKind.DEPARTMENT, DEPARTMENTS[7]),
    ("KQ-JYTY", ApplicationKind.DEPARTMENT, DEPARTMENTS[8]),
    ("KQ-YB", ApplicationKind.DEPARTMENT, DEPARTMENTS[9]),
    ("SX-DSJ", ApplicationKind.BUREAU, Bureau.CITY.value),
    ("ZJ-DSJ", ApplicationKind.BUREAU, Bureau.PROVINCE.value),
)
INSPECTORS: dict[str, dict[str, Ties]] = {
    "KQ001": {DEPARTMENTS[0]: Ties.FORMER},
    "KQ002": {DEPARTMENTS[5]: Ties.OWN, DEPARTMENTS[1]: Ties.DECLARED},
    "KQ003": {DEPARTMENTS[5]: Ties.FORMER},
    "KQ004": {},
}
"""The officers who are inspectors, and the departments that they may not check."""
BUREAU_KEYS = {Bureau.CITY: "SX-DSJ", Bureau.PROVINCE: "ZJ-DSJ"}

_SCOPES = {
    "餐饮管理": "热食类食品制售、预包装食品销售",
    "运输": "道路普通货物运输",
    "口腔门诊部": "口腔科",
    "置业": "房地产开发经营",
}
MARRIAGE, ESTATE = "结婚证", "不动产权证书"
_DISABILITIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to make: departments (at most ``len(DEPARTMENTS)``) and holders, who have two certificates each."""

    departments: int = 30
    holders: int = 2000


@dataclass(frozen=True, slots=True)
class Holder:
    """An invented person, company or partnership, and which certificate it holds beside its identity card or licence.

    ``place`` is 0, 1, 2 ...
    """

    place: int
    kind: HolderKind
    holds: Kind
    name: str
    number: str
    address: str
    born_on: date
    male: bool

    @property
    def number_kind(self) -> NumberKind:
        return NumberKind.RESIDENT if self.kind is HolderKind.NATURAL_PERSON else NumberKind.CREDIT_CODE


@dataclass(frozen=True, slots=True)
class Added:
    """How many rows ``load`` added, by table; all 0 when everything was there already."""

    certificate_types: int
    departments: int
    issuing_authorities: int
    officers: int
    inspectors: int
    phrases: int
    applications: int
    liaison_officers: int
    use_list_entries: int
    certificates: int
    service_guides: int
    trial_certificates: int

    @property
    def anything(self) -> bool:
        return any(asdict(self).values())


def certificate_types() -> list[CertificateType]:
    """The catalogue's types; they do not depend on the seed."""
    return [
        CertificateType(
            code=kind.code,
            name=kind.name,
            issuing_authority=kind.authority,
            issuing_level=kind.level,
            source=kind.source,
            validity=kind.validity,
            validity_years=kind.years,
            stale_after_hours=kind.stale_after_hours,
            holder_kinds=kind.holder_kinds,
            fields=kind.fields,
        )
        for kind in KINDS
    ]


@cache
def department_code(seed: int, name: str) -> str:
    """A department's invented credit code."""
    return Dice(seed, "department", name).credit_code("11", KEQIAO)


def departments(seed: int, count: int) -> list[Department]:
    return [
        Department(uscc=department_code(seed, name), name=name, email=f"office{place + 1:02}@example.cn")
        for place, name in enumerate(DEPARTMENTS[:count])
    ]


def officers(seed: int) -> list[Officer]:
    """The Center's officers; ``code_secret`` is base32, as authenticator programs take it."""
    return [
        Officer(
            staff_no=staff_no,
            name=name,
            role=role,
            email=f"{staff_no.lower()}@example.cn",
            code_secret=base64.b32encode(Dice(seed, "officer", staff_no).digest("code")[:20]).decode(),
        )
        for staff_no, name, role in OFFICERS
    ]


def phrases() -> list[DeskPhrase]:
    """Usual reasons, as a director keeps them."""
    director = next(staff_no for staff_no, _, role in OFFICERS if role is Role.DIRECTOR)
    at = clock.start_of(AS_OF)
    return [
        DeskPhrase(question=question, field=field, text=text, kept_by=director, at=at)
        for question, field, texts in PHRASES
        for text in texts
    ]


def application_secret(seed: int, key: str) -> str:
    return Dice(seed, "application", key).digest("secret").hex()


def applications(seed: int) -> list[Application]:
    """The programs that may call us: some departments' and both superior bureaus'."""
    return [Application(key=key, kind=kind, speaks_for=name) for key, kind, name in APPLICATIONS]


def application_secrets(seed: int) -> list[ApplicationSecret]:
    """What the programs sign with."""
    return [
        ApplicationSecret(key=key, secret=application_secret(seed, key), from_at=clock.start_of(AS_OF))
        for key, _, _ in APPLICATIONS
    ]


def liaison_officers(seed: int, count: int) -> list[LiaisonOfficer]:
    """A designated person for each of the first ``count`` departments but every tenth, which has filed nobody."""
    return [
        LiaisonOfficer(
            department_uscc=department_code(seed, name),
            name=Dice(seed, "liaison officer", name).person("own"),
            position="办公室主任",
            phone=f"0575-8412{place + 1:04}",
            email=f"liaison{place + 1:02}@example.cn",
            from_on=AS_OF,
        )
        for place, name in enumerate(DEPARTMENTS[:count])
        if place % 10 != 9
    ]


def issuing_authorities(seed: int) -> list[IssuingAuthority]:
    """Who stands as issuer on the district's certificates: today's authorities with their codes, former ones with the
    county's region."""
    now = {kind.authority: kind.level for kind in KINDS}
    today = [
        IssuingAuthority(name=name, code=_issuer_code(seed, name, now.get(name, Level.DISTRICT)))
        for name in {**now, **dict.fromkeys(DEPARTMENTS)}
    ]
    return today + [IssuingAuthority(name=name, code=SHAOXING_COUNTY) for name in FORMER_AUTHORITIES]


def _issuer_code(seed: int, authority: str, level: Level) -> str:
    """What stands for an authority in an identifier: a department's credit code, the region of any other."""
    if authority in DEPARTMENTS:
        return department_code(seed, authority)
    return CITY if level is Level.CITY else KEQIAO


def holders(seed: int, count: int) -> list[Holder]:
    """Two persons to each company or partnership, of which each seventh is a partnership. No number is given twice."""
    made: list[Holder] = []
    numbers: set[str] = set()
    for place in range(count):
        attempt = 0
        while (holder := _holder(seed, place, attempt)).number in numbers:
            attempt += 1
        numbers.add(holder.number)
        made.append(holder)
    return made


def _holder(seed: int, place: int, attempt: int) -> Holder:
    dice = Dice(seed, "holder", place, attempt)
    town, road = dice.pick("town", TOWNS), dice.pick("road", ROADS)
    address = f"绍兴市柯桥区{town}{road}{1 + dice.number('house', 800)}号"
    male = bool(dice.number("male", 2))
    if place % 3 != 2:
        persons_before = place - (place + 1) // 3
        holds = PERSONAL[persons_before % len(PERSONAL)]
        child = holds is BIRTH
        years = (date(2017, 1, 1), date(2025, 10, 15)) if child else (date(1955, 1, 1), date(1999, 12, 31))
        born_on = dice.day("born", *years)
        number = dice.identity_number("own", born_on, male)
        return Holder(place, HolderKind.NATURAL_PERSON, holds, dice.person("own"), number, address, born_on, male)
    companies_before = place // 3
    holds = PERMITS[companies_before % len(PERMITS)]
    partnership = companies_before % 7 == 3
    word = dice.pick("word", WORDS)
    other = dice.pick("other word", [other for other in WORDS if other != word])
    name = f"绍兴柯桥{word}{other}{holds.trade}{'合伙企业（普通合伙）' if partnership else '有限公司'}"
    kind = HolderKind.UNINCORPORATED if partnership else HolderKind.LEGAL_PERSON
    founded_on = dice.day("born", date(1999, 1, 1), date(2016, 12, 31))
    return Holder(place, kind, holds, name, dice.credit_code("91", KEQIAO), address, founded_on, male)


@dataclass(frozen=True, slots=True)
class Second:
    """Who holds a certificate beside its holder: the spouse, a co-owner."""

    name: str
    number: str


def _second(dice: Dice, kind: Kind, holder: Holder) -> Second | None:
    """The other holder of a certificate of this kind, if it has one."""
    if kind.name == MARRIAGE:
        number = dice.identity_number("spouse", holder.born_on + timedelta(days=400), not holder.male)
        return Second(dice.person("spouse"), number)
    if kind.name == ESTATE and _owned(dice) != "单独所有":
        number = dice.identity_number("co-owner", holder.born_on + timedelta(days=900), not holder.male)
        return Second(dice.person("co-owner"), number)
    return None


def _owned(dice: Dice) -> str:
    """How an estate is owned."""
    alone = dice.pick("ownership", ("单独所有", "共同共有")) == "单独所有"
    return "单独所有" if alone else dice.pick("together", ("共同共有", "按份共有"))


def certificates(seed: int, count: int, read_at: datetime) -> list[Certificate]:
    """The certificates of ``count`` holders: a company's licence and permit, a person's identity card and another.

    ``read_at`` is when their sources are said to have been asked last."""
    made = []
    judges = {kind.code: _judge(kind) for kind in KINDS}
    for holder in holders(seed, count):
        everybodys = IDENTITY_CARD if holder.kind is HolderKind.NATURAL_PERSON else LICENCE
        made += [_certificate(seed, kind, judges[kind.code], holder, read_at) for kind in (everybodys, holder.holds)]
    return made


def certificates_above(bureau: Bureau, seed: int, count: int) -> dict[str, dict[str, Any]]:
    """What a superior bureau's stand-in answers for: those of ``certificates`` whose data are the bureau's."""
    source = {Bureau.CITY: Level.CITY, Bureau.PROVINCE: Level.PROVINCE}[bureau]
    kinds, agreed = {kind.code: kind for kind in KINDS if kind.source is source}, certificate_mapping()
    return {
        made.identifier: in_their_words(
            Found(
                made.identifier,
                made.number,
                made.holder_name,
                made.holder_number_kind,
                made.holder_number,
                made.face,
                made.issued_on,
                made.valid_until_on,
                made.state,
            ),
            kinds[made.type_code].fields,
            agreed,
        )
        for made in certificates(seed, count, clock.start_of(AS_OF))
        if made.type_code in kinds
    }


def persons(seed: int, count: int) -> list[Person]:
    """The holders as Zheliban's stand-in knows them, and after them whoever holds a certificate with one of them."""
    made = holders(seed, count)
    seconds = (_second(_of_certificate(seed, holder.holds, holder), holder.holds, holder) for holder in made)
    return [Person(holder.name, holder.number_kind, holder.number) for holder in made] + [
        Person(second.name, NumberKind.RESIDENT, second.number) for second in seconds if second is not None
    ]


def _of_certificate(seed: int, kind: Kind, holder: Holder) -> Dice:
    """What decides all that is invented of a certificate."""
    return Dice(seed, "certificate", kind.code, holder.place)


def _years_after(day: date, years: int) -> date:
    return date(day.year + years, day.month, min(day.day, 28))


def _issued_on(dice: Dice, kind: Kind, holder: Holder) -> date:
    """A day of recent years on which the holder could have been issued it: grown up, but for children's."""
    if kind is BIRTH:
        return holder.born_on + timedelta(days=5 + dice.number("issued", 20))
    if holder.holds is BIRTH:
        earliest = holder.born_on + timedelta(days=60)
    elif holder.kind is HolderKind.NATURAL_PERSON:
        earliest = _years_after(holder.born_on, 24)
    else:
        earliest = holder.born_on
    return dice.day("issued", max(date(2017, 1, 1), earliest), date(2025, 12, 20))


def _printed_until(dice: Dice, kind: Kind, holder: Holder, issued_on: date) -> date | None:
    """The last day that stands on an identity card or a driving licence: by age, and by how long one has driven."""
    if kind is DRIVING_LICENCE:
        years = dice.pick("years", (6, 6, 10, None))
    else:
        age = issued_on.year - holder.born_on.year
        years = 5 if age < 16 else 10 if age < 26 else 20 if age < 46 else None
    return _years_after(issued_on, years) if years else None


def _judge(kind: Kind) -> Judge:
    return Judge(PaperType(kind.code, kind.name, kind.validity, kind.years, kind.holder_kinds, kind.fields), AS_OF, ())


def _certificate(seed: int, kind: Kind, judge: Judge, holder: Holder, read_at: datetime) -> Certificate:
    dice = _of_certificate(seed, kind, holder)
    issued_on = _issued_on(dice, kind, holder)
    until = valid_until(kind.validity, kind.years, issued_on, _printed_until(dice, kind, holder, issued_on))
    number, face = _face(dice, kind, holder, issued_on, until)
    beside = Columns(number, holder.kind, holder.name, holder.number_kind, holder.number, issued_on, until)
    issuer_code = _issuer_code(seed, kind.authority, kind.level)
    identifier = Identifier(kind.code, issuer_code, f"{issued_on:%Y%m%d}{holder.place + 1:05}", "001")
    return Certificate(
        identifier=str(identifier),
        root=identifier.root,
        version=int(identifier.version),
        type_code=kind.code,
        face=face,
        state=_state(dice, until),
        read_at=read_at,
        **as_row(read_off(judge, face, beside)[0]),
    )


def _face(dice: Dice, kind: Kind, holder: Holder, issued_on: date, until: date | None) -> tuple[str, dict[str, str]]:
    """A certificate's number and what stands on it."""
    parents_born_on = _years_after(holder.born_on, -27)
    disability, grade = dice.number("disability", len(_DISABILITIES)), dice.number("grade", 4)
    number = kind.number.format(
        serial=holder.place + 1,
        holder_number=holder.number,
        issued_on=issued_on,
        disability_code=disability + 1,
        grade_code=grade + 1,
    )
    partnership = holder.kind is HolderKind.UNINCORPORATED

    second = _second(dice, kind, holder)
    names, numbers = [holder.name], [holder.number]
    if second is not None:
        names.append(second.name)
        numbers.append(second.number)
    husband, wife = (0, -1) if holder.male else (-1, 0)
    # Both spouses have a certificate of their own, which names one of them as its holder.
    together = 1 if kind.name == MARRIAGE else None

    # Drawn only where they are printed: a draw costs time, and a type prints a dozen of these.
    values: dict[str, Callable[[], object]] = {
        "holder": lambda: BETWEEN.join(names[:together]),
        "holder_number": lambda: BETWEEN.join(numbers),
        "address": lambda: holder.address,
        "residence": lambda: holder.address,
        "issuer": lambda: kind.authority,
        "signatory": lambda: dice.person("signatory"),
        "issued_on": lambda: issued_on,
        "valid_from": lambda: issued_on,
        "valid_until": lambda: until or "长期",
        "established_on": lambda: holder.born_on,
        "company_kind": lambda: "普通合伙企业" if partnership else "有限责任公司（自然人投资或控股）",
        "economy": lambda: "合伙企业" if partnership else "有限责任公司",
        "capital": lambda: f"{50 * (1 + dice.number('capital', 60))}万元整",
        "legal_representative": lambda: Dice(dice.seed, "holder", holder.place).person("legal representative"),
        "principal": lambda: dice.person("principal"),
        "business": lambda: "餐饮服务经营者（中型餐馆）",
        "scope": lambda: _SCOPES[holder.holds.trade],
        "operation": lambda: "营利性",
        "beds": lambda: f"牙椅{2 + dice.number('beds', 9)}台",
        "project": lambda: f"{dice.pick('project', WORDS)}家园{1 + dice.number('phase', 3)}期",
        "scale": lambda: f"{8000 + dice.number('scale', 90000)}平方米",
        "contract_price": lambda: f"{2000 + dice.number('price', 30000)}万元",
        "surveyor": lambda: f"绍兴柯桥{dice.pick('surveyor', WORDS)}勘察有限公司",
        "designer": lambda: f"绍兴柯桥{dice.pick('designer', WORDS)}建筑设计有限公司",
        "builder": lambda: f"绍兴柯桥{dice.pick('builder', WORDS)}建设有限公司",
        "supervisor": lambda: f"绍兴柯桥{dice.pick('supervisor', WORDS)}工程管理有限公司",
        "co_ownership": lambda: _owned(dice),
        "share": lambda: {"单独所有": "全部", "共同共有": "不分份额"}.get(_owned(dice), "50%、50%"),
        "unit": lambda: (
            f"{KEQIAO}{dice.number('parcel', 10**6):06}GB{dice.number('lot', 10**5):05}F{holder.place + 1:08}"
        ),
        "right_kind": lambda: "国有建设用地使用权/房屋所有权",
        "right_nature": lambda: "出让/市场化商品房",
        "use": lambda: "城镇住宅用地/住宅",
        "area": lambda: f"房屋建筑面积{60 + dice.number('area', 120)}.{dice.number('part', 100):02}平方米",
        "term": lambda: f"国有建设用地使用权至{_years_after(issued_on, 62)}止",
        "sex": lambda: "男" if holder.male else "女",
        "nation": lambda: "汉",
        "nationality": lambda: "中国",
        "born_on": lambda: holder.born_on,
        "disability": lambda: _DISABILITIES[disability],
        "grade": lambda: f"{'一二三四'[grade]}级",
        "guardian": lambda: dice.person("guardian"),
        "husband": lambda: names[husband],
        "husband_number": lambda: numbers[husband],
        "wife": lambda: names[wife],
        "wife_number": lambda: numbers[wife],
        "weeks": lambda: f"{37 + dice.number('weeks', 5)}周",
        "weight": lambda: f"{2600 + 10 * dice.number('weight', 140)}克",
        "height": lambda: f"{47 + dice.number('height', 6)}厘米",
        "birthplace": lambda: "浙江省绍兴市柯桥区",
        "mother": lambda: dice.person("mother"),
        "mother_number": lambda: dice.identity_number("mother", parents_born_on, male=False),
        "father": lambda: holder.name[0] + dice.person("father")[1:],
        "father_number": lambda: dice.identity_number("father", parents_born_on, male=True),
        "bank": lambda: dice.pick("bank", ("绍兴银行", "浙江绍兴瑞丰农村商业银行", "中国工商银行")),
        "first_on": lambda: dice.day("first", _years_after(holder.born_on, 18), issued_on),
        "vehicles": lambda: dice.pick("vehicles", ("C1", "C2", "B2")),
        "file_number": lambda: f"{CITY}{dice.number('file', 10**6):06}",
        "number": lambda: number,
    }
    return number, {field.code: str(values[field.code]()) for field in kind.fields}


def _state(dice: Dice, until: date | None) -> CertificateState:
    if until is not None and until < AS_OF:
        return CertificateState.EXPIRED
    unusual = {0: CertificateState.SUSPENDED, 1: CertificateState.REVOKED}
    return unusual.get(dice.number("state", 40), CertificateState.VALID)


def load(seed: int = DEFAULT_SEED, sizes: Sizes | None = None) -> Added:
    """Add what is not there yet to the migrated database, in one transaction; change nothing that is.

    ``KeysMissingError`` without usable keys. ``RefusalError`` when the tables are missing, ``sizes`` asks for more
    departments than there are, or the register holds officers who are not this seed's: known secrets must not get into
    a register in use.
    """
    sizes = sizes or Sizes()
    if sizes.departments > len(DEPARTMENTS):
        raise RefusalError(f"样例部门最多{len(DEPARTMENTS)}个，请减少后重试。")
    check_ready()
    # SQLAlchemy would wrap what unusable keys raise in the middle of an INSERT.
    keys()
    with transaction() as session:
        _check_nobody_else(session, seed)
        return Added(
            certificate_types=_add(session, CertificateType.code, certificate_types()),
            departments=_add(session, Department.uscc, departments(seed, sizes.departments)),
            issuing_authorities=_add(session, IssuingAuthority.name, issuing_authorities(seed)),
            officers=_add(session, Officer.staff_no, officers(seed)),
            inspectors=_add_inspectors(session, seed, sizes.departments),
            phrases=_add(session, DeskPhrase.text, phrases()),
            applications=_add_applications(session, seed),
            liaison_officers=_add(session, LiaisonOfficer.department_uscc, liaison_officers(seed, sizes.departments)),
            use_list_entries=_add_use_list(session, seed, sizes.departments),
            certificates=_add_certificates(session, certificates(seed, sizes.holders, clock.now())),
            service_guides=_add_guides(session, seed, sizes.departments),
            trial_certificates=create_trial_holders(session, clock.start_of(AS_OF)),
        )


def in_words(added: Added, seed: int) -> str:
    """One Chinese line that says what ``load`` did."""
    if not added.anything:
        return f"样例数据（种子{seed}）已在库中，没有变动。"
    return (
        f"已载入样例数据（种子{seed}）：证照类型{added.certificate_types}种，部门{added.departments}个，"
        f"工作人员{added.officers}名，应用{added.applications}个，专人{added.liaison_officers}名，"
        f"用证清单{added.use_list_entries}条，证照{added.certificates}件，办事指南{added.service_guides}项，"
        f"测试证照{added.trial_certificates}件。"
    )


def _check_nobody_else(session: Session, seed: int) -> None:
    expected = {officer.staff_no: officer.code_secret for officer in officers(seed)}
    found = {officer.staff_no: officer.code_secret for officer in session.scalars(select(Officer))}
    if found and not expected.items() <= found.items():
        raise RefusalError(
            f"工作人员名册中已有种子{seed}的样例以外的数据，为免混入公开的密钥，未载入样例数据；请换用空的数据目录（EZT_HOME）。"
        )


def _add_applications(session: Session, seed: int) -> int:
    added = _add(session, Application.key, applications(seed))
    _add(session, ApplicationSecret.key, application_secrets(seed))
    return added


def _add_inspectors(session: Session, seed: int, departments: int) -> int:
    """Add the inspectors who are not there yet; what is on file of others stays."""
    new = [each for each in INSPECTORS if session.get(Inspector, each) is None]
    session.add_all(Inspector(staff_no=staff_no) for staff_no in new)
    session.flush()
    session.add_all(
        InspectorConflict(staff_no=staff_no, department_uscc=department_code(seed, name), ties=ties)
        for staff_no in new
        for name, ties in INSPECTORS[staff_no].items()
        if name in DEPARTMENTS[:departments]
    )
    return len(new)


def _add_use_list(session: Session, seed: int, departments: int) -> int:
    """Add the entries whose department and item the use list does not have yet."""
    kinds = {kind.name: kind for kind in KINDS}
    there = set(session.execute(select(UseListEntry.department_uscc, UseListEntry.item_code)).tuples())
    among = {name: department_code(seed, name) for name in DEPARTMENTS[:departments]}
    added = 0
    for item in USE_LIST:
        if item.department not in among or (among[item.department], item.code) in there:
            continue
        for use in item.uses:
            entry = UseListEntry(
                department_uscc=among[item.department],
                item_code=item.code,
                type_code=kinds[use.type_name].code,
                scenario=use.scenario,
            )
            session.add(entry)
            session.flush()
            session.add(
                UseListVersion(
                    entry_id=entry.id,
                    item_name=item.name,
                    fields=tuple(field.code for field in kinds[use.type_name].fields if field.code in use.fields),
                    holder_alone=use.holder_alone,
                    authorisation=use.authorisation,
                    ended=False,
                    in_force_from=AS_OF,
                    decided_at=clock.start_of(AS_OF),
                )
            )
            added += 1
    return added


def _add_certificates(session: Session, made: list[Certificate]) -> int:
    """Add the certificates that are not there yet, with their holders."""
    added = _add(session, Certificate.identifier, made)
    judges = {kind.code: _judge(kind) for kind in KINDS}
    without = ~exists().where(CertificateHolder.certificate_id == Certificate.id)
    ids = dict(session.execute(select(Certificate.identifier, Certificate.id).where(without)).tuples().all())
    rows = [
        {"certificate_id": ids[each.identifier], **holder}
        for each in made
        if each.identifier in ids
        for holder in as_holders(read_off(judges[each.type_code], each.face, columns_of(each))[1])
    ]
    insert_many(session, cast("Table", CertificateHolder.__table__), rows)
    return added


def _add_guides(session: Session, seed: int, departments: int) -> int:
    """Add the guides whose item has none yet."""
    there = set(session.scalars(select(ServiceGuide.item_code)))
    codes = {name: department_code(seed, name) for name in DEPARTMENTS[:departments]}
    missing = [guide for guide in service_guides(codes, clock.start_of(AS_OF)) if guide.item_code not in there]
    session.add_all(missing)
    return len(missing)


def _add(session: Session, key: InstrumentedAttribute[str], rows: Sequence[Base]) -> int:
    """Add the rows whose ``key`` the table does not have; returns how many."""
    there = set(session.scalars(select(key)))
    missing = [row for row in rows if getattr(row, key.key) not in there]
    session.bulk_save_objects(missing)
    return len(missing)
