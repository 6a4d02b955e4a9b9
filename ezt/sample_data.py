"""Sample data for trying things out: invented, reproducible from a seed, and formally valid.

Real are the names of the district's departments and of the certificate types, their fields and authorities, and the
type code of 建筑工程施工许可证 (11100000000013338W009). Invented, though formally valid, are all other type codes, all
credit codes, people, companies and certificates. The applications' secrets and the officers' code secrets follow from
the seed: whoever has this file knows them, which is why ``load`` refuses a register that holds anybody else.

Every draw depends on the seed and on what it is drawn for, never on a draw before it, so larger ``Sizes`` add to what
is there and change nothing of it.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from typing import Any, TypeVar

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session
from stdnum.cn import ric, uscc

from ezt.installation import check_migrated
from gateways.certificate_platform import Found, certificate_mapping
from gateways.stand_in import in_their_words
from gateways.zheliban import Person
from models.base import Base
from models.certificates import Certificate, CertificateType, IssuingAuthority
from models.liaisons import LiaisonOfficer
from models.organisations import Application, ApplicationKind, ApplicationSecret, Department, Officer, Role
from models.use_lists import UseListEntry, UseListVersion
from regulation.catalogue import Field, FieldKind, HolderKind, Sensitivity, Validity, valid_until
from regulation.certificates import CertificateState, Identifier, Level
from regulation.identity_numbers import NumberKind
from regulation.objections import Bureau
from runtime import clock
from runtime.database import transaction
from runtime.keys import keys
from runtime.refusals import RefusalError

T = TypeVar("T")

DEFAULT_SEED = 1
AS_OF = date(2026, 1, 1)
"""The day on which the sample was drawn; it decides which certificates have expired, so that no clock does."""

CITY = "330600"
KEQIAO = "330603"
SHAOXING_COUNTY = "330621"
"""Keqiao's predecessor, which the identity numbers of most of its grown-ups still carry."""

DEPARTMENTS = (
    "绍兴市柯桥区市场监督管理局",
    "绍兴市自然资源和规划局柯桥分局",
    "绍兴市柯桥区交通运输局",
    "绍兴市柯桥区卫生健康局",
    "绍兴市柯桥区住房和城乡建设局",
    "绍兴市柯桥区民政局",
    "绍兴市公安局柯桥区分局",
    "绍兴市柯桥区人力资源和社会保障局",
    "绍兴市柯桥区教育体育局",
    "绍兴市柯桥区医疗保障局",
    "绍兴市柯桥区发展和改革局",
    "绍兴市柯桥区经济和信息化局",
    "绍兴市柯桥区科学技术局",
    "绍兴市柯桥区司法局",
    "绍兴市柯桥区财政局",
    "绍兴市柯桥区农业农村局",
    "绍兴市柯桥区商务局",
    "绍兴市柯桥区文化广电旅游局",
    "绍兴市柯桥区退役军人事务局",
    "绍兴市柯桥区应急管理局",
    "绍兴市柯桥区审计局",
    "绍兴市柯桥区统计局",
    "绍兴市柯桥区综合行政执法局",
    "绍兴市柯桥区信访局",
    "绍兴市生态环境局柯桥分局",
    "绍兴市柯桥区人民政府办公室",
    "绍兴市柯桥区残疾人联合会",
    "国家税务总局绍兴市柯桥区税务局",
    "绍兴市柯桥区消防救援大队",
    "绍兴市住房公积金管理中心柯桥分中心",
)
OFFICERS = (
    ("KQ001", "陈柯宁", Role.OFFICER),
    ("KQ002", "俞若溪", Role.OFFICER),
    ("KQ003", "金以恒", Role.OFFICER),
    ("KQ004", "傅知远", Role.DIRECTOR),
)
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
BUREAU_KEYS = {Bureau.CITY: "SX-DSJ", Bureau.PROVINCE: "ZJ-DSJ"}

_SURNAMES = "王陈沈徐章俞金傅潘鲁周孙胡朱高林何郭马罗"
_GIVEN = "子涵雨桐嘉宁思远文博晓琳建国海燕志强丽华明轩若溪国栋美玲永康秀英立新云舒"
_TOWNS = ("柯桥街道", "柯岩街道", "华舍街道", "湖塘街道", "齐贤街道", "安昌街道", "马鞍街道", "钱清街道", "杨汛桥街道")
_ROADS = ("金柯桥大道", "群贤路", "鉴湖路", "笛扬路", "湖西路", "裕民路", "创意路", "兴越路")
_WORDS = ("锦程", "越秀", "鉴湖", "恒盛", "瑞丰", "天和", "稽山", "永泰", "新桥", "云水", "安康", "宏远")


class Dice:
    """Draws that follow from the seed and from what they are drawn for, on every machine and version alike."""

    def __init__(self, seed: int, *what: object) -> None:
        self.seed = seed
        self._name = "/".join(str(part) for part in (seed, *what))

    def digest(self, what: str) -> bytes:
        """32 bytes."""
        return hashlib.sha256(f"{self._name}/{what}".encode()).digest()

    def number(self, what: str, below: int) -> int:
        """A whole number from 0 up to, and without, ``below``."""
        return int.from_bytes(self.digest(what)) % below

    def pick(self, what: str, among: Sequence[T]) -> T:
        return among[self.number(what, len(among))]

    def day(self, what: str, first: date, last: date) -> date:
        return first + timedelta(days=self.number(what, (last - first).days + 1))

    def person(self, what: str) -> str:
        """A person's name."""
        given = _GIVEN[2 * self.number(f"{what}/given", len(_GIVEN) // 2) :][:2]
        return self.pick(f"{what}/surname", _SURNAMES) + given

    def credit_code(self, kind: str, region: str) -> str:
        """A unified social credit code (GB 32100), its organisation code (GB 11714) right as well.

        ``kind`` is its first two characters (11 organs of the state, 91 enterprises), ``region`` the next six.
        """
        body = f"{self.number(f'{kind}{region}', 10**8):08}"
        weighted = sum(int(digit) * weight for digit, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
        check = -weighted % 11
        code = f"{kind}{region}{body}{'X' if check == 10 else check}"
        return code + str(uscc.calc_check_digit(code))

    def identity_number(self, what: str, born_on: date, male: bool) -> str:
        """A resident identity number (GB 11643)."""
        region = self.pick(f"{what}/region", (SHAOXING_COUNTY, SHAOXING_COUNTY, KEQIAO))
        sequence = 2 * self.number(f"{what}/sequence", 500) + male
        body = f"{region}{born_on:%Y%m%d}{sequence:03}"
        return body + str(ric.calc_check_digit(f"{body}0"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A certificate type, and what its certificates need beyond the catalogue."""

    code: str
    name: str
    authority: str
    level: Level
    source: Level
    validity: Validity
    years: int | None
    stale_after_hours: int
    number: str
    """The shape of a certificate's number; see ``_certificate`` for what it may name."""
    trade: str
    """What the companies that hold it are called; empty for natural persons."""
    holder_kinds: tuple[HolderKind, ...]
    fields: tuple[Field, ...]


_catalogue = partial(Dice, 0, "catalogue")


def _type_code(body: str, number: int) -> str:
    """A type code: the credit code of the (invented) defining body and three digits."""
    return f"{_catalogue(body).credit_code('11', '100000')}{number:03}"


def _fields(lines: str) -> tuple[Field, ...]:
    """Fields from lines of code, Chinese name, kind and sensitivity."""
    words = [line.split() for line in lines.strip().splitlines()]
    return tuple(Field(code, name, FieldKind(kind), Sensitivity(grade)) for code, name, kind, grade in words)


_PERSONS = (HolderKind.NATURAL_PERSON,)
_BODIES = (HolderKind.LEGAL_PERSON, HolderKind.UNINCORPORATED)
KINDS = (
    Kind(
        _type_code("market", 1),
        "营业执照",
        DEPARTMENTS[0],
        Level.DISTRICT,
        Level.PROVINCE,
        Validity.UNLIMITED,
        None,
        24,
        "{holder_number}",
        "企业",
        _BODIES,
        _fields("""
            holder_number         统一社会信用代码  credit-code  public
            holder                名称            name         public
            company_kind          类型            text         public
            legal_representative  法定代表人       name         public
            capital               注册资本         text         public
            established_on        成立日期         date         public
            address               住所            address      public
            scope                 经营范围         text         public
            issuer                登记机关         name         public
            issued_on             核准日期         date         public
        """),
    ),
    Kind(
        _type_code("market", 2),
        "食品经营许可证",
        DEPARTMENTS[0],
        Level.DISTRICT,
        Level.CITY,
        Validity.YEARS,
        5,
        24,
        "JY2330603{serial:07}",
        "餐饮管理",
        _BODIES,
        _fields("""
            number                许可证编号          number       public
            holder                经营者名称          name         public
            holder_number         统一社会信用代码     credit-code  public
            legal_representative  法定代表人（负责人）  name         public
            residence             住所               address      public
            address               经营场所            address      public
            business              主体业态            text         public
            scope                 经营项目            text         public
            issuer                发证机关            name         public
            signatory             签发人              name         public
            issued_on             发证日期            date         public
            valid_until           有效期至            date         public
        """),
    ),
    Kind(
        _type_code("transport", 1),
        "道路运输经营许可证",
        DEPARTMENTS[2],
        Level.DISTRICT,
        Level.PROVINCE,
        Validity.YEARS,
        4,
        24,
        "浙交运管许可绍字330603{serial:06}号",
        "运输",
        _BODIES,
        _fields("""
            number       许可证号   number   public
            holder       业户名称   name     public
            address      地址      address  public
            economy      经济性质   text     public
            scope        经营范围   text     public
            issuer       核发机关   name     public
            issued_on    核发日期   date     public
            valid_from   有效期自   date     public
            valid_until  有效期至   date     public
        """),
    ),
    Kind(
        _type_code("health", 1),
        "医疗机构执业许可证",
        DEPARTMENTS[3],
        Level.DISTRICT,
        Level.DISTRICT,
        Validity.YEARS,
        5,
        24,
        "PDY{serial:05}33060317D1522",
        "口腔门诊部",
        _BODIES,
        _fields("""
            number                登记号      number   public
            holder                机构名称    name     public
            address               地址       address  public
            legal_representative  法定代表人  name     public
            principal             主要负责人  name     public
            scope                 诊疗科目    text     public
            operation             经营性质    text     public
            beds                  床位（牙椅） text     public
            issuer                发证机关    name     public
            issued_on             发证日期    date     public
            valid_from            有效期自    date     public
            valid_until           有效期至    date     public
        """),
    ),
    Kind(
        "11100000000013338W009",
        "建筑工程施工许可证",
        DEPARTMENTS[4],
        Level.DISTRICT,
        Level.PROVINCE,
        Validity.UNLIMITED,
        None,
        24,
        "330603{issued_on:%Y%m%d}{serial:04}",
        "置业",
        _BODIES,
        _fields("""
            number          施工许可证编号    number   public
            holder          建设单位         name     public
            project         工程名称         text     public
            address         建设地址         address  public
            scale           建设规模         text     public
            contract_price  合同价格         text     public
            surveyor        勘察单位         name     public
            designer        设计单位         name     public
            builder         施工单位         name     public
            supervisor      监理单位         name     public
            principal       施工单位项目负责人  name     public
            issuer          发证机关         name     public
            issued_on       发证日期         date     public
        """),
    ),
    Kind(
        _type_code("land", 1),
        "不动产权证书",
        DEPARTMENTS[1],
        Level.DISTRICT,
        Level.CITY,
        Validity.UNLIMITED,
        None,
        4,
        "浙（{issued_on:%Y}）绍兴市柯桥区不动产权第{serial:07}号",
        "",
        tuple(HolderKind),
        _fields("""
            number         不动产权证号    number           personal
            holder         权利人         name             personal
            holder_number  权利人证件号码   identity-number  sensitive
            co_ownership   共有情况        text             personal
            address        坐落           address          personal
            unit           不动产单元号     number           personal
            right_kind     权利类型        text             personal
            right_nature   权利性质        text             personal
            use            用途           text             personal
            area           面积           text             personal
            term           使用期限        text             personal
            issuer         登记机构        name             public
            issued_on      登记日期        date             personal
        """),
    ),
    Kind(
        _type_code("disabled", 1),
        "残疾人证",
        DEPARTMENTS[26],
        Level.DISTRICT,
        Level.PROVINCE,
        Validity.YEARS,
        10,
        24,
        "{holder_number}{disability_code}{grade_code}",
        "",
        _PERSONS,
        _fields("""
            number         残疾人证号    identity-number  sensitive
            holder         姓名         name             personal
            sex            性别         text             personal
            holder_number  公民身份号码   identity-number  sensitive
            disability     残疾类别      text             sensitive
            grade          残疾等级      text             sensitive
            address        家庭住址      address          personal
            guardian       监护人       name             personal
            issuer         批准残联      name             public
            issued_on      签发日期      date             personal
            valid_until    有效期至      date             personal
        """),
    ),
    Kind(
        _type_code("civil", 1),
        "结婚证",
        DEPARTMENTS[5],
        Level.DISTRICT,
        Level.PROVINCE,
        Validity.UNLIMITED,
        None,
        4,
        "J330603-{issued_on:%Y}-{serial:06}",
        "",
        _PERSONS,
        _fields("""
            number          结婚证字号       number           personal
            holder          持证人          name             personal
            husband         男方姓名         name             personal
            husband_number  男方公民身份号码   identity-number  sensitive
            wife            女方姓名         name             personal
            wife_number     女方公民身份号码   identity-number  sensitive
            issuer          登记机关         name             public
            issued_on       登记日期         date             personal
        """),
    ),
    Kind(
        _type_code("health", 2),
        "出生医学证明",
        "绍兴市柯桥区妇幼保健院",
        Level.DISTRICT,
        Level.PROVINCE,
        Validity.UNLIMITED,
        None,
        24,
        "V33{serial:07}",
        "",
        _PERSONS,
        _fields("""
            number         出生证编号         number           sensitive
            holder         新生儿姓名         name             sensitive
            sex            新生儿性别         text             sensitive
            born_on        出生日期           date             sensitive
            weeks          出生孕周           text             sensitive
            weight         出生体重           text             sensitive
            height         出生身长           text             sensitive
            birthplace     出生地点           text             sensitive
            mother         母亲姓名           name             sensitive
            mother_number  母亲有效身份证件号码  identity-number  sensitive
            father         父亲姓名           name             sensitive
            father_number  父亲有效身份证件号码  identity-number  sensitive
            issuer         签发机构           name             public
            issued_on      签发日期           date             sensitive
        """),
    ),
    Kind(
        _type_code("labour", 1),
        "社会保障卡",
        "绍兴市人力资源和社会保障局",
        Level.CITY,
        Level.PROVINCE,
        Validity.YEARS,
        10,
        24,
        "D{serial:08}",
        "",
        _PERSONS,
        _fields("""
            number         社会保障卡卡号  number           sensitive
            holder         姓名          name             personal
            holder_number  社会保障号码    identity-number  sensitive
            bank           服务银行       name             personal
            issuer         发卡机构       name             public
            issued_on      发卡日期       date             personal
            valid_until    有效期至       date             personal
        """),
    ),
    Kind(
        _type_code("police", 1),
        "身份证",
        DEPARTMENTS[6],
        Level.DISTRICT,
        Level.PROVINCE,
        Validity.ON_FACE,
        None,
        4,
        "{holder_number}",
        "",
        _PERSONS,
        _fields("""
            holder         姓名         name             personal
            sex            性别         text             personal
            nation         民族         text             personal
            born_on        出生         date             personal
            address        住址         address          personal
            holder_number  公民身份号码   identity-number  sensitive
            issuer         签发机关      name             public
            valid_from     有效期自      date             personal
            valid_until    有效期至      date             personal
        """),
    ),
    Kind(
        _type_code("police", 2),
        "驾驶证",
        "浙江省绍兴市公安局交通警察支队",
        Level.CITY,
        Level.PROVINCE,
        Validity.ON_FACE,
        None,
        4,
        "{holder_number}",
        "",
        _PERSONS,
        _fields("""
            number       证号        identity-number  sensitive
            holder       姓名        name             personal
            sex          性别        text             personal
            nationality  国籍        text             personal
            address      住址        address          personal
            born_on      出生日期     date             personal
            first_on     初次领证日期  date             personal
            vehicles     准驾车型     text             personal
            file_number  档案编号     number           personal
            issuer       发证机关     name             public
            valid_from   有效期自     date             personal
            valid_until  有效期至     date             personal
        """),
    ),
)
_BY_NAME = {kind.name: kind for kind in KINDS}
_LICENCE, _IDENTITY_CARD, _BIRTH = (_BY_NAME[name] for name in ("营业执照", "身份证", "出生医学证明"))
_DRIVING_LICENCE = _BY_NAME["驾驶证"]
_PERMITS = [kind for kind in KINDS if kind.trade and kind is not _LICENCE]
_PERSONAL = [kind for kind in KINDS if not kind.trade and kind is not _IDENTITY_CARD]
_SCOPES = {
    "餐饮管理": "热食类食品制售、预包装食品销售",
    "运输": "道路普通货物运输",
    "口腔门诊部": "口腔科",
    "置业": "房地产开发经营",
}
_DISABILITIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")


@dataclass(frozen=True, slots=True)
class Use:
    """What an item may see of a certificate type, in which scenario."""

    type_name: str
    scenario: str
    fields: tuple[str, ...]
    holder_alone: bool = False
    authorisation: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A department's service item (事项) with its entries of the use list."""

    department: str
    code: str
    name: str
    uses: tuple[Use, ...]


_PERSON = ("holder", "holder_number", "address", "valid_until")
_COMPANY = ("holder_number", "holder", "legal_representative", "address", "scope")
USE_LIST = (
    Item(
        DEPARTMENTS[0],
        "330603-SCJG-001",
        "食品经营许可（新办）",
        (
            Use("营业执照", "窗口受理", _COMPANY, holder_alone=True),
            Use("身份证", "窗口受理", _PERSON, holder_alone=True),
            Use("不动产权证书", "经营场所核对", ("number", "holder", "address", "use"), authorisation=True),
        ),
    ),
    Item(
        DEPARTMENTS[0],
        "330603-SCJG-002",
        "企业变更登记",
        (Use("营业执照", "网上办理", (*_COMPANY, "capital", "established_on")), Use("身份证", "网上办理", _PERSON)),
    ),
    Item(
        DEPARTMENTS[1],
        "330603-ZRZY-001",
        "不动产转移登记",
        (
            Use(
                "不动产权证书",
                "窗口受理",
                ("number", "holder", "holder_number", "co_ownership", "address", "unit", "area"),
            ),
            Use("身份证", "窗口受理", _PERSON, holder_alone=True),
            Use("结婚证", "窗口受理", ("number", "husband", "wife"), authorisation=True),
        ),
    ),
    Item(
        DEPARTMENTS[2],
        "330603-JT-001",
        "道路货物运输经营许可年审",
        (
            Use("道路运输经营许可证", "窗口受理", ("number", "holder", "scope", "valid_until")),
            Use("驾驶证", "路面核验", ("holder", "vehicles", "valid_until"), holder_alone=True),
        ),
    ),
    Item(
        DEPARTMENTS[3],
        "330603-WJ-001",
        "医疗机构执业许可证校验",
        (Use("医疗机构执业许可证", "窗口受理", ("number", "holder", "principal", "scope", "valid_until")),),
    ),
    Item(
        DEPARTMENTS[4],
        "330603-JS-001",
        "建筑工程竣工验收备案",
        (Use("建筑工程施工许可证", "窗口受理", ("number", "holder", "project", "builder", "supervisor")),),
    ),
    Item(
        DEPARTMENTS[5],
        "330603-MZ-001",
        "婚姻登记档案查询",
        (Use("结婚证", "窗口受理", ("number", "holder", "husband", "wife", "issued_on"), authorisation=True),),
    ),
    Item(
        DEPARTMENTS[6],
        "330603-GA-001",
        "新生儿户口登记",
        (
            Use(
                "出生医学证明",
                "窗口受理",
                ("number", "holder", "sex", "born_on", "mother", "father"),
                authorisation=True,
            ),
            Use("身份证", "窗口受理", _PERSON, holder_alone=True),
        ),
    ),
    Item(
        DEPARTMENTS[7],
        "330603-RS-001",
        "社会保险待遇申领",
        (
            Use("社会保障卡", "窗口受理", ("number", "holder", "bank"), holder_alone=True),
            Use("残疾人证", "待遇认定", ("holder", "disability", "grade", "valid_until"), authorisation=True),
        ),
    ),
)


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
    applications: int
    liaison_officers: int
    use_list_entries: int
    certificates: int

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


def enrolment(officer: Officer) -> str:
    """The ``otpauth://`` address that puts an officer's one-time codes into an authenticator program."""
    return pyotp.TOTP(officer.code_secret).provisioning_uri(name=officer.staff_no, issuer_name="柯桥e证通")


def application_secret(seed: int, key: str) -> str:
    return Dice(seed, "application", key).digest("secret").hex()


def applications(seed: int) -> list[Application]:
    """The programs that may call us: some departments' and both superior bureaus'."""
    return [Application(key=key, kind=kind, speaks_for=name) for key, kind, name in APPLICATIONS]


def application_secrets(seed: int) -> list[ApplicationSecret]:
    """What the programs sign with."""
    return [
        ApplicationSecret(key=key, secret=application_secret(seed, key), from_at=_midnight(AS_OF))
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


FORMER_AUTHORITIES = (
    "绍兴县工商行政管理局",
    "绍兴市工商行政管理局柯桥分局",
    "绍兴县食品药品监督管理局",
    "绍兴县国土资源局",
    "绍兴县建设局",
    "绍兴县交通局",
    "绍兴县卫生局",
    "绍兴县民政局",
    "绍兴县公安局",
    "绍兴县残疾人联合会",
    "绍兴县质量技术监督局",
)
"""Authorities of the former Shaoxing County and from before later mergers, as they stand on old paper."""


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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SHANGHAI)


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
    town, road = dice.pick("town", _TOWNS), dice.pick("road", _ROADS)
    address = f"绍兴市柯桥区{town}{road}{1 + dice.number('house', 800)}号"
    male = bool(dice.number("male", 2))
    if place % 3 != 2:
        persons_before = place - (place + 1) // 3
        holds = _PERSONAL[persons_before % len(_PERSONAL)]
        child = holds is _BIRTH
        years = (date(2017, 1, 1), date(2025, 10, 15)) if child else (date(1955, 1, 1), date(1999, 12, 31))
        born_on = dice.day("born", *years)
        number = dice.identity_number("own", born_on, male)
        return Holder(place, HolderKind.NATURAL_PERSON, holds, dice.person("own"), number, address, born_on, male)
    companies_before = place // 3
    holds = _PERMITS[companies_before % len(_PERMITS)]
    partnership = companies_before % 7 == 3
    word = dice.pick("word", _WORDS)
    other = dice.pick("other word", [other for other in _WORDS if other != word])
    name = f"绍兴柯桥{word}{other}{holds.trade}{'合伙企业（普通合伙）' if partnership else '有限公司'}"
    kind = HolderKind.UNINCORPORATED if partnership else HolderKind.LEGAL_PERSON
    founded_on = dice.day("born", date(1999, 1, 1), date(2016, 12, 31))
    return Holder(place, kind, holds, name, dice.credit_code("91", KEQIAO), address, founded_on, male)


def certificates(seed: int, count: int, read_at: datetime) -> list[Certificate]:
    """The certificates of ``count`` holders: a company's licence and permit, a person's identity card and another.

    ``read_at`` is when their sources are said to have been asked last."""
    made = []
    for holder in holders(seed, count):
        everybodys = _IDENTITY_CARD if holder.kind is HolderKind.NATURAL_PERSON else _LICENCE
        made += [_certificate(seed, kind, holder, read_at) for kind in (everybodys, holder.holds)]
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
        for made in certificates(seed, count, _midnight(AS_OF))
        if made.type_code in kinds
    }


def persons(seed: int, count: int) -> list[Person]:
    """The holders as Zheliban's stand-in knows them."""
    return [Person(holder.name, holder.number_kind, holder.number) for holder in holders(seed, count)]


def _years_after(day: date, years: int) -> date:
    return date(day.year + years, day.month, min(day.day, 28))


def _issued_on(dice: Dice, kind: Kind, holder: Holder) -> date:
    """A day of recent years on which the holder could have been issued it: grown up, but for children's."""
    if kind is _BIRTH:
        return holder.born_on + timedelta(days=5 + dice.number("issued", 20))
    if holder.holds is _BIRTH:
        earliest = holder.born_on + timedelta(days=60)
    elif holder.kind is HolderKind.NATURAL_PERSON:
        earliest = _years_after(holder.born_on, 24)
    else:
        earliest = holder.born_on
    return dice.day("issued", max(date(2017, 1, 1), earliest), date(2025, 12, 20))


def _printed_until(dice: Dice, kind: Kind, holder: Holder, issued_on: date) -> date | None:
    """The last day that stands on an identity card or a driving licence: by age, and by how long one has driven."""
    if kind is _DRIVING_LICENCE:
        years = dice.pick("years", (6, 6, 10, None))
    else:
        age = issued_on.year - holder.born_on.year
        years = 5 if age < 16 else 10 if age < 26 else 20 if age < 46 else None
    return _years_after(issued_on, years) if years else None


def _certificate(seed: int, kind: Kind, holder: Holder, read_at: datetime) -> Certificate:
    dice = Dice(seed, "certificate", kind.code, holder.place)
    issued_on = _issued_on(dice, kind, holder)
    until = valid_until(kind.validity, kind.years, issued_on, _printed_until(dice, kind, holder, issued_on))
    number, face = _face(dice, kind, holder, issued_on, until)
    issuer_code = _issuer_code(seed, kind.authority, kind.level)
    identifier = Identifier(kind.code, issuer_code, f"{issued_on:%Y%m%d}{holder.place + 1:05}", "001")
    return Certificate(
        identifier=str(identifier),
        root=identifier.root,
        version=int(identifier.version),
        type_code=kind.code,
        number=number,
        number_index=keys().blind_index("certificate-number", number),
        holder_kind=holder.kind,
        holder_name=holder.name,
        holder_number_kind=holder.number_kind,
        holder_number=holder.number,
        holder_index=keys().blind_index("holder-number", holder.number),
        face=face,
        issued_on=issued_on,
        valid_until_on=until,
        state=_state(dice, until),
        read_at=read_at,
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

    def spouse() -> str:
        return dice.person("spouse")

    def spouse_number() -> str:
        return dice.identity_number("spouse", holder.born_on + timedelta(days=400), not holder.male)

    # Drawn only where they are printed: a draw costs time, and a type prints a dozen of these.
    values: dict[str, Callable[[], object]] = {
        "holder": lambda: holder.name,
        "holder_number": lambda: holder.number,
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
        "project": lambda: f"{dice.pick('project', _WORDS)}家园{1 + dice.number('phase', 3)}期",
        "scale": lambda: f"{8000 + dice.number('scale', 90000)}平方米",
        "contract_price": lambda: f"{2000 + dice.number('price', 30000)}万元",
        "surveyor": lambda: f"绍兴柯桥{dice.pick('surveyor', _WORDS)}勘察有限公司",
        "designer": lambda: f"绍兴柯桥{dice.pick('designer', _WORDS)}建筑设计有限公司",
        "builder": lambda: f"绍兴柯桥{dice.pick('builder', _WORDS)}建设有限公司",
        "supervisor": lambda: f"绍兴柯桥{dice.pick('supervisor', _WORDS)}工程管理有限公司",
        "co_ownership": lambda: dice.pick("ownership", ("单独所有", "共同共有")),
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
        "husband": lambda: holder.name if holder.male else spouse(),
        "husband_number": lambda: holder.number if holder.male else spouse_number(),
        "wife": lambda: spouse() if holder.male else holder.name,
        "wife_number": lambda: spouse_number() if holder.male else holder.number,
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
    check_migrated()
    # SQLAlchemy would wrap what unusable keys raise in the middle of an INSERT.
    keys()
    with transaction() as session:
        _check_nobody_else(session, seed)
        return Added(
            certificate_types=_add(session, CertificateType.code, certificate_types()),
            departments=_add(session, Department.uscc, departments(seed, sizes.departments)),
            issuing_authorities=_add(session, IssuingAuthority.name, issuing_authorities(seed)),
            officers=_add(session, Officer.staff_no, officers(seed)),
            applications=_add_applications(session, seed),
            liaison_officers=_add(session, LiaisonOfficer.department_uscc, liaison_officers(seed, sizes.departments)),
            use_list_entries=_add_use_list(session, seed, sizes.departments),
            certificates=_add(session, Certificate.identifier, certificates(seed, sizes.holders, clock.now())),
        )


def in_words(added: Added, seed: int) -> str:
    """One Chinese line that says what ``load`` did."""
    if not added.anything:
        return f"样例数据（种子{seed}）已在库中，没有变动。"
    return (
        f"已载入样例数据（种子{seed}）：证照类型{added.certificate_types}种，部门{added.departments}个，"
        f"工作人员{added.officers}名，应用{added.applications}个，专人{added.liaison_officers}名，"
        f"用证清单{added.use_list_entries}条，证照{added.certificates}件。"
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
                    decided_at=_midnight(AS_OF),
                )
            )
            added += 1
    return added


def _add(session: Session, key: InstrumentedAttribute[str], rows: Sequence[Base]) -> int:
    """Add the rows whose ``key`` the table does not have; returns how many."""
    there = set(session.scalars(select(key)))
    missing = [row for row in rows if getattr(row, key.key) not in there]
    session.bulk_save_objects(missing)
    return len(missing)
