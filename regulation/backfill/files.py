"""Files of paper certificates: their headings, rows that say the same, what the register has, and new identifiers.

Article 11: backfilling comes in files of many rows, one certificate each.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from regulation.backfill.judge import (
    HOLDER,
    HOLDER_NUMBER,
    ISSUED_ON,
    NUMBER,
    VALID_UNTIL,
    Holder,
    Judged,
    PaperType,
    columns,
    required_columns,
)
from regulation.backfill.paper_values import NO_END, Cell, number_key, parts, read_name
from regulation.backfill.problems import Problem, ProblemCode
from regulation.certificates import Identifier, IdentifierError
from regulation.identity_numbers import comparable_name, same_name
from regulation.limits import LONGEST_NAME

_SYNONYMS = {
    "number": (
        "证号",
        "编号",
        "证照编号",
        "证照号",
        "证照号码",
        "证书编号",
        "证书号",
        "证书号码",
        "许可证编号",
        "许可证号",
        "许可证号码",
        "执照编号",
        "登记证号",
        "字号",
        "证字号",
        "证照编码",
    ),
    "holder": (
        "姓名",
        "持证人",
        "持证人姓名",
        "持证主体",
        "持证主体名称",
        "权利人",
        "权利人名称",
        "名称",
        "单位名称",
        "企业名称",
        "机构名称",
        "公司名称",
        "经营者",
        "经营者名称",
        "持有人",
        "业主",
        "业户名称",
        "被许可人",
        "许可对象",
    ),
    "holder_number": (
        "身份证号",
        "身份证号码",
        "公民身份号码",
        "公民身份证号码",
        "身份号码",
        "证件号码",
        "证件号",
        "持证人身份证号",
        "持证人证件号码",
        "权利人证件号",
        "持证主体代码",
        "持证主体证件号码",
        "统一社会信用代码",
        "社会信用代码",
        "信用代码",
        "统一代码",
        "工商注册号",
        "注册号",
        "组织机构代码",
    ),
    "holder_number_kind": ("证件类型", "证件种类", "证件名称", "持证主体代码类型", "权利人证件种类"),
    "holder_kind": ("持证主体类型", "主体类型", "持证主体类别"),
    "issuer": (
        "发证机关",
        "发证机构",
        "发证单位",
        "发证部门",
        "颁证机构",
        "颁证机关",
        "颁发机构",
        "签发机关",
        "签发机构",
        "核发机关",
        "登记机关",
        "登记机构",
        "审批机关",
        "许可机关",
        "批准机关",
    ),
    "issued_on": (
        "发证日期",
        "发证时间",
        "签发日期",
        "核发日期",
        "颁发日期",
        "颁证日期",
        "核准日期",
        "登记日期",
        "填发日期",
        "发放日期",
    ),
    "valid_from": (
        "有效期自",
        "有效期起",
        "有效期起始",
        "有效期起始日期",
        "有效期开始日期",
        "有效期开始",
        "起始日期",
        "有效期限起",
        "有效期",
        "有效期限",
    ),
    "valid_until": (
        "有效期至",
        "有效期止",
        "有效期截止",
        "有效期截止日期",
        "有效期结束日期",
        "截止日期",
        "到期日期",
        "到期日",
        "失效日期",
        "有效期限止",
        "有效期",
        "有效期限",
    ),
    "sex": ("性别",),
    "born_on": ("出生日期", "出生年月日", "出生", "生日"),
    "address": ("地址", "住址", "住所", "坐落", "家庭住址", "经营场所", "经营地址", "详细地址", "注册地址"),
    "residence": ("住所", "地址", "注册地址"),
    "legal_representative": ("法定代表人", "法人代表", "法人", "法人姓名", "法定代表人姓名", "负责人"),
    "principal": ("主要负责人", "负责人", "项目负责人"),
    "scope": ("经营范围", "许可范围", "许可项目", "经营项目", "业务范围"),
    "husband": ("男方", "男方姓名", "丈夫", "丈夫姓名"),
    "husband_number": ("男方身份证号", "男方身份证号码", "男方证件号码", "丈夫身份证号"),
    "wife": ("女方", "女方姓名", "妻子", "妻子姓名"),
    "wife_number": ("女方身份证号", "女方身份证号码", "女方证件号码", "妻子身份证号"),
    "mother": ("母亲", "母亲姓名", "产妇姓名"),
    "mother_number": ("母亲身份证号", "母亲身份证号码", "母亲证件号码"),
    "father": ("父亲", "父亲姓名"),
    "father_number": ("父亲身份证号", "父亲身份证号码", "父亲证件号码"),
}
"""What people write above a column, by field code. A type's own name for a field always comes first."""


class Headings(NamedTuple):
    """Which field stands in which column, counted from 0, and what is wrong with the headings."""

    places: dict[str, int]
    problems: tuple[Problem, ...]


def read_headings(headings: Sequence[Cell], paper_type: PaperType) -> Headings:
    """The columns of a type's file by their Chinese headings.

    A heading is known by the type's name of a field, the register's, or a word in use for it; blanks, line breaks, the
    width of brackets, marks like * or (必填), units and examples in brackets do not count. A column that is nobody's is
    remarked on and left out. Two columns for one field, a heading that fits two fields and a required field without a
    column are errors that name the heading.

    >>> from regulation.catalogue import Field, FieldKind, HolderKind, Sensitivity, Validity
    >>> fields = (Field("number", "许可证号", FieldKind.NUMBER, Sensitivity.PUBLIC),)
    >>> permit = PaperType("t", "许可证", Validity.UNLIMITED, None, (HolderKind.LEGAL_PERSON,), fields)
    >>> read = read_headings(["许可证号*", "企业\\n名称（必填）", "信用代码", "发证机关", "发证日期", "备注"], permit)
    >>> read.places
    {'number': 0, 'holder': 1, 'holder_number': 2, 'issuer': 3, 'issued_on': 4}
    >>> [problem.in_words(problem.field) for problem in read.problems]
    ['“备注”列不是该类证照的内容，不会录入；如属该类证照的项目，请改用目录中的名称。']
    """
    names = columns(paper_type)
    meanings = _meanings(paper_type)
    required = required_columns(paper_type)
    places: dict[str, int] = {}
    problems: list[Problem] = []
    ambiguous: set[str] = set()
    last = max((place for place, heading in enumerate(headings) if _shown(heading)), default=-1)
    for place, heading in enumerate(headings[: last + 1]):
        shown = _shown(heading)
        if not shown:
            problems.append(Problem(f"第{place + 1}列", ProblemCode.HEADING_EMPTY))
            continue
        fields = next((meanings[word] for word in _words(shown) if word in meanings), ())
        if not fields:
            problems.append(Problem(shown, ProblemCode.COLUMN_UNKNOWN))
        elif len(fields) > 1:
            ambiguous.update(fields)
            either = "或".join(f"“{names[field]}”" for field in fields)
            problems.append(Problem(shown, ProblemCode.HEADING_AMBIGUOUS, either))
        elif fields[0] in places:
            problems.append(Problem(shown, ProblemCode.HEADING_DOUBLED, _shown(headings[places[fields[0]]])))
        else:
            places[fields[0]] = place
    problems += [
        Problem(names[code], ProblemCode.HEADING_MISSING)
        for code in names
        if code in required and code not in places and code not in ambiguous
    ]
    return Headings(places, tuple(problems))


def _meanings(paper_type: PaperType) -> dict[str, tuple[str, ...]]:
    """The fields that a heading can mean in a type's file, by its folded words."""
    names = columns(paper_type)
    own = {field.code: field.name for field in paper_type.fields}
    words: dict[str, tuple[str, ...]] = {}
    for code in names:
        for word in (names[code], *_SYNONYMS.get(code, ())):
            for folded in _words(word)[:1]:
                words[folded] = tuple(dict.fromkeys((*words.get(folded, ()), code)))
    for code, name in own.items():
        # In whole first: 法定代表人（负责人） is no 负责人.
        for folded in reversed(_words(name)):
            words[folded] = (code,)
    return words


_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|<[^<>]*>")


def _shown(heading: Cell) -> str:
    return "".join(str(heading).split()) if heading is not None else ""


def _words(heading: str) -> tuple[str, ...]:
    """A heading without blanks and marks, in whole and without what stands in brackets."""
    folded = "".join(unicodedata.normalize("NFKC", heading).split()).strip("*:、.#").casefold()
    bare = _BRACKETED.sub("", folded).strip("*:、.#")
    return tuple(dict.fromkeys(word for word in (folded, bare) if word))


def find_type(cell: Cell, types: Iterable[PaperType]) -> PaperType | Problem:
    """The type that a file or a row names, by its name or its code in the catalogue.

    >>> find_type("渔业捕捞许可证", [])
    Problem(field='证照类型', code=<ProblemCode.TYPE_UNKNOWN: 'type-unknown'>, detail='')
    """
    wanted = comparable_name(read_name(cell, LONGEST_NAME.value).text)
    for each in types:
        if wanted in {comparable_name(each.name), each.code.casefold()}:
            return each
    return Problem("证照类型", ProblemCode.TYPE_UNKNOWN)


class Entry(NamedTuple):
    """What is kept of a row to find its like: where it stands, whose it is, and a digest of what it says."""

    row: int
    key: tuple[str, str]
    digest: bytes


def entry(row: int, judged: Judged) -> Entry:
    """A row's entry: its type with its number, and 16 bytes of SHA-256 over everything that would be registered.

    The digest tells equal rows from others within one file. It is no blind index: whoever stores it, keys it.
    """
    said: dict[str, object] = {
        "face": {code: comparable_name(text) for code, text in judged.face.items()},
        "holder": comparable_name(judged.holder_name),
        "holder_number": judged.holder_number.number if judged.holder_number else "",
        "issuer": comparable_name(judged.issuer),
        "issued_on": str(judged.issued_on),
        "valid_until_on": str(judged.valid_until_on),
    }
    if judged.others:
        said["others"] = [(comparable_name(each.name), each.number, each.share) for each in judged.others]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    # A lone surrogate is a lost character, which a row may hold.
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]
    return Entry(row, (judged.type_code, number_key(judged.number)), digest)


def duplicates(entries: Iterable[Entry]) -> dict[int, Problem]:
    """What is wrong with rows that say the same certificate again, by row.

    A row that says what one before it said is skipped (``DUPLICATE``, with the first one's row). Where rows of a
    certificate differ, none of them is right until somebody has looked: each is a ``CONFLICT`` with another.
    Rows without a number are nobody's like.

    >>> found = duplicates([Entry(2, ("t", "1"), b"a"), Entry(3, ("t", "1"), b"a"), Entry(4, ("t", "2"), b"a")])
    >>> found[3].in_words("证照编号"), len(found)
    ('与第2行完全相同，只录入一次。', 1)
    """
    firsts: dict[tuple[str, str], dict[bytes, int]] = {}
    found: dict[int, Problem] = {}
    for row, key, digest in entries:
        if not key[1]:
            continue
        rows = firsts.setdefault(key, {})
        first = rows.setdefault(digest, row)
        if first != row:
            found[row] = Problem(NUMBER, ProblemCode.DUPLICATE, str(first))
    for rows in firsts.values():
        if len(rows) > 1:
            one, other, *_ = rows.values()
            for row in rows.values():
                found[row] = Problem(NUMBER, ProblemCode.CONFLICT, str(other if row == one else one))
    return found


class Registered(NamedTuple):
    """What the register has of a certificate in its newest version."""

    face: Mapping[str, str]
    holder_name: str
    holder_number: str
    issued_on: date
    valid_until_on: date | None


class Comparison(NamedTuple):
    """A row beside what the register has: which fields say the same, which do not, and what follows."""

    same: tuple[str, ...]
    differing: tuple[str, ...]
    problem: Problem


def compare(judged: Judged, registered: Registered, names: Mapping[str, str]) -> Comparison:
    """A row beside the register's certificate of the same type and number. ``names`` are as ``columns`` gives them.

    ===================  ===========  ================  =====================
    issued on            fields       problem           the row
    ===================  ===========  ================  =====================
    the same day         the same     registered        is not registered again
    the same day         differ       register-differs  waits for a decision
    later than register  any          paper-newer       waits for a decision
    before the register  any          register-newer    is not registered
    ===================  ===========  ================  =====================

    A field that either leaves blank is no difference.
    """
    ours = _said(
        judged.face,
        judged.holder_name,
        judged.holder_number.number if judged.holder_number else "",
        {ISSUED_ON: str(judged.issued_on), VALID_UNTIL: str(judged.valid_until_on or NO_END)},
    )
    theirs = _said(
        registered.face,
        registered.holder_name,
        registered.holder_number,
        {ISSUED_ON: str(registered.issued_on), VALID_UNTIL: str(registered.valid_until_on or NO_END)},
    )
    both = [code for code in ours if ours[code] and theirs.get(code)]
    differing = tuple(code for code in both if number_key(ours[code]) != number_key(theirs[code]))
    same = tuple(code for code in both if code not in differing)
    detail = "、".join(f"“{names.get(code, code)}”" for code in differing)
    if judged.issued_on is not None and judged.issued_on > registered.issued_on:
        code = ProblemCode.PAPER_NEWER
    elif judged.issued_on is not None and judged.issued_on < registered.issued_on:
        code = ProblemCode.REGISTER_NEWER
    else:
        code = ProblemCode.REGISTER_DIFFERS if differing else ProblemCode.REGISTERED
    return Comparison(same, differing, Problem(NUMBER, code, detail))


def _said(face: Mapping[str, str], name: str, number: str, days: dict[str, str]) -> dict[str, str]:
    """All that is said of a certificate. Of several holders the face says more than the register's columns, which are
    those of the first."""
    several = {code: face[code] for code in (HOLDER, HOLDER_NUMBER) if len(parts(face.get(code) or "")) > 1}
    return {**face, HOLDER: name, HOLDER_NUMBER: number, **days, **several}


def held_otherwise(holder: Holder, names: Iterable[str]) -> Problem | None:
    """What is remarkable about a holder whose number the register has under these ``names``: that one of them is
    another's (Article 11). It keeps nothing out: it may be a slip in the number, somebody else's paper, or a name that
    was changed.

    >>> from regulation.catalogue import HolderKind
    >>> from regulation.identity_numbers import NumberKind
    >>> him = Holder("husband", HolderKind.NATURAL_PERSON, "王建国", NumberKind.RESIDENT, "33062119680512101X")
    >>> held_otherwise(him, ["王 建 国"]), held_otherwise(him, ["王建国", "王建业"]).field
    (None, 'husband_number')
    """
    if all(same_name(holder.name, name) for name in names):
        return None
    return Problem(f"{holder.field}_number", ProblemCode.HELD_OTHERWISE)


def identifier(type_code: str, issuer_code: str, batch_year: int, batch: int, row: int) -> Identifier:
    """The identifier that a backfilled certificate gets (GB/T 36904): always the same for a row of a batch.

    Its serial is the batch's year, ``BL`` for 补录 that keeps it apart from an authority's own, five digits of batch
    and seven of row: an interrupted batch gives the same ones again, and no two rows of a year's batches share one. It
    does not come from the certificate's number, which may be an identity number that anybody could find by trying.

    ``IdentifierError`` for what does not fit.

    >>> str(identifier("11100000000013338W009", "330603", 2026, 12, 345))
    '1.2.156.3005.2.11100000000013338W009.330603.2026BL000120000345.001.P'
    """
    if len(type_code) != 21 or not (type_code + issuer_code).isalnum() or not (type_code + issuer_code).isascii():
        raise IdentifierError("证照类型代码应为21位、颁证机构代码应为数字或字母，请先补全证照目录和颁证机构代码。")
    if not (1000 <= batch_year <= 9999 and 0 < batch < 10**5 and 0 < row < 10**7):
        raise IdentifierError("补录的年份、批次号或行号超出标识流水号的位数，请拆分批次。")
    return Identifier(type_code.upper(), issuer_code.upper(), f"{batch_year}BL{batch:05}{row:07}", "001")


def named(cells: Sequence[Cell], places: Mapping[str, int]) -> dict[str, Cell]:
    """A file's row by field code; rows that end early are empty from there on.

    >>> named(["俞小云"], {"holder": 0, "number": 1})
    {'holder': '俞小云', 'number': None}
    """
    return {code: cells[place] if place < len(cells) else None for code, place in places.items()}
