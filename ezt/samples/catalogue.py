"""What the sample data rest on: the district's departments, the certificate types with their fields, the use list.

Real are the names of the departments and of the certificate types, their fields and authorities, and the type code of
建筑工程施工许可证 (11100000000013338W009). All other type codes are invented, though formally valid.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TypeVar

from stdnum.cn import ric, uscc

from regulation.catalogue import Field, FieldKind, HolderKind, Sensitivity, Validity
from regulation.certificates import Level

T = TypeVar("T")

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

_SURNAMES = "王陈沈徐章俞金傅潘鲁周孙胡朱高林何郭马罗"
_GIVEN = "子涵雨桐嘉宁思远文博晓琳建国海燕志强丽华明轩若溪国栋美玲永康秀英立新云舒"
TOWNS = ("柯桥街道", "柯岩街道", "华舍街道", "湖塘街道", "齐贤街道", "安昌街道", "马鞍街道", "钱清街道", "杨汛桥街道")
ROADS = ("金柯桥大道", "群贤路", "鉴湖路", "笛扬路", "湖西路", "裕民路", "创意路", "兴越路")
WORDS = ("锦程", "越秀", "鉴湖", "恒盛", "瑞丰", "天和", "稽山", "永泰", "新桥", "云水", "安康", "宏远")


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
    """Fields from lines of code, Chinese name, kind, sensitivity, and for a choice what it is among."""
    words = [line.split() for line in lines.strip().splitlines()]
    return tuple(
        Field(code, name, FieldKind(kind), Sensitivity(grade), tuple(choices))
        for code, name, kind, grade, *choices in words
    )


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
            capital               注册资本         amount         public
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
            contract_price  合同价格         amount     public
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
            co_ownership   共有情况        choice             personal 单独所有 共同共有 按份共有
            share          份额           text             personal
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
            sex            性别         choice             personal 男 女
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
            sex            新生儿性别         choice             sensitive 男 女
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
            sex            性别         choice             personal 男 女
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
            sex          性别        choice             personal 男 女
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
LICENCE, IDENTITY_CARD, BIRTH = (_BY_NAME[name] for name in ("营业执照", "身份证", "出生医学证明"))
DRIVING_LICENCE = _BY_NAME["驾驶证"]
PERMITS = [kind for kind in KINDS if kind.trade and kind is not LICENCE]
PERSONAL = [kind for kind in KINDS if not kind.trade and kind is not IDENTITY_CARD]


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
                ("number", "holder", "holder_number", "co_ownership", "share", "address", "unit", "area"),
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
