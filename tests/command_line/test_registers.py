"""``ezt department`` and ``ezt catalogue``: the registers come in as tables, all of them or nothing."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from ezt.samples import data as samples
from models.certificates import CertificateType, IssuingAuthority
from models.organisations import Application, Department
from models.records import AuditEntry
from regulation.catalogue import FieldKind
from runtime.database import reading
from tasks.register.type_files import FIELD_KINDS, LEVELS, SENSITIVITIES, TYPES, VALIDITIES
from tests.command_line.conftest import assert_refused, ezt

HEADINGS = ["统一社会信用代码", "部门名称", "邮箱"]
ONE, TWO = (samples.department_code(samples.DEFAULT_SEED, name) for name in samples.DEPARTMENTS[:2])
MARKET, LAND = samples.DEPARTMENTS[:2]
NEW = samples.department_code(99, "新设的局")
ROWS = [[ONE, MARKET, "office01@example.cn"], [NEW, "绍兴市柯桥区新设局", "new@example.cn"]]
TYPE_HEADINGS = [TYPES.title(column) for column in TYPES.headings]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def written(path: Path, *rows: list[Any]) -> str:
    if path.suffix == ".xlsx":
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        path.write_bytes(text.getvalue().encode("gb18030"))
    return str(path)


def word(words: dict[str, Any], value: object) -> str:
    return next(word for word, meant in words.items() if meant == value)


def rows_of(kind: CertificateType) -> list[list[Any]]:
    """A type as the table has it: what it is as a whole in its first row only."""
    whole = [
        kind.name,
        kind.issuing_authority,
        word(LEVELS, kind.issuing_level),
        word(LEVELS, kind.source),
        word(VALIDITIES, kind.validity),
        kind.validity_years,
        kind.stale_after_hours,
        "、".join(kind.holder_kinds),
    ]
    rows = []
    for place, field in enumerate(kind.fields):
        said = [field.code, field.name, word(FIELD_KINDS, field.kind), word(SENSITIVITIES, field.sensitivity)]
        said.append("、".join(field.choices))
        rows.append([kind.code, *(whole if place == 0 else [kind.name, *[None] * 7]), *said])
    return rows


def known(kind: CertificateType) -> tuple[Any, ...]:
    return tuple(getattr(kind, column.key) for column in CertificateType.__table__.columns)


def tags() -> list[str]:
    with reading() as session:
        return [*session.scalars(select(AuditEntry.tag).order_by(AuditEntry.id))]


def test_departments_come_in_once_and_keep_their_programs_when_they_are_renamed(
    sample_data: Path, tmp_path: Path
) -> None:
    file = written(tmp_path / "部门.csv", ["部门名册"], HEADINGS, *ROWS)
    checked = json.loads(ezt("department", "import", file, "--check", "--json").stdout)
    assert (checked["check"], checked["added"], checked["unchanged"]) == (True, 1, 1)
    assert tags() == []
    said = ezt("department", "import", file)
    assert f"{NEW} 绍兴市柯桥区新设局：新增" in said.stdout, said.stderr
    again = json.loads(ezt("department", "import", file, "--json").stdout)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 2)

    renamed = written(tmp_path / "改名.xlsx", HEADINGS, [ONE, "绍兴市柯桥区市场局", "m@example.cn"])
    (entry,) = json.loads(ezt("department", "import", renamed, "--json").stdout)["entries"]
    assert entry["changes"] == [f"部门名称：{MARKET}→绍兴市柯桥区市场局", "邮箱：office01@example.cn→m@example.cn"]
    with reading() as session:
        assert session.get_one(Department, ONE).name == "绍兴市柯桥区市场局"
        assert session.get_one(Application, "KQ-SCJG").speaks_for == "绍兴市柯桥区市场局"
        assert session.get_one(Application, "KQ-ZRZY").speaks_for == LAND
    assert tags() == ["department:register:added", "department:register:changed"]


def test_every_wrong_cell_is_named_and_no_department_is_written(sample_data: Path, tmp_path: Path) -> None:
    bad = [
        *ROWS,
        ["113306030000000000", "甲局", "a@example.cn"],
        [TWO, "", "wang@kq"],
        [NEW, "乙局", "b@example.cn"],
        [samples.department_code(99, "丙"), ROWS[1][1], "c@example.cn"],
    ]
    done = ezt("department", "import", written(tmp_path / "部门.csv", HEADINGS, *bad))
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert "未登记任何一个部门" in lines[0]
    assert [line.partition("：")[0] for line in lines[1:]] == ["第4行", "第5行", "第6行", "第7行"]
    for line, words in zip(
        lines[1:],
        (
            "统一社会信用代码的校验位不符",
            "部门名称未填写；邮箱格式不对（@后面",
            "与第3行相同",
            "部门名称与第3行相同",
        ),
        strict=True,
    ):
        assert words in line
    assert tags() == []
    taken = ezt("department", "import", written(tmp_path / "占用.csv", HEADINGS, [NEW, LAND, "c@example.cn"]))
    assert f"第2行：部门名称“{LAND}”已由信用代码{TWO}使用" in taken.stderr
    assert_refused(ezt("department", "import", written(tmp_path / "空.csv", HEADINGS)), "没有内容")
    assert_refused(ezt("department", "import", written(tmp_path / "缺.csv", HEADINGS[:2])), "缺少邮箱")
    assert_refused(ezt("department", "import", str(tmp_path / "没有.csv")), "没有.csv")
    with reading() as session:
        assert session.get(Department, NEW) is None


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_number_that_excel_has_rewritten_is_refused(sample_data: Path, tmp_path: Path) -> None:
    department = written(tmp_path / "部门.xlsx", HEADINGS, [113306030000000001, *ROWS[1][1:]])
    lost = "“1.13306E+17”是被表格软件改写的长数字，末几位已丢失，请将该列设为文本后重填"
    assert f"第2行：统一社会信用代码{lost}" in ezt("department", "import", department).stderr
    kind = written(tmp_path / "目录.xlsx", TYPE_HEADINGS, [113306030000000001])
    assert f"第2行：类型代码{lost}" in ezt("catalogue", "import", kind).stderr
    authority = written(tmp_path / "机构.xlsx", ["颁证机构", "机构代码"], ["某局", 113306030000000001])
    assert f"第2行：机构代码{lost}" in ezt("catalogue", "import-authorities", authority).stderr
    assert tags() == []


def test_the_whole_catalogue_comes_in_where_there_is_none(installation: Path, tmp_path: Path) -> None:
    kinds = samples.certificate_types()
    file = written(
        tmp_path / "目录.xlsx", ["证照目录"], TYPE_HEADINGS, *(row for kind in kinds for row in rows_of(kind))
    )
    assert json.loads(ezt("catalogue", "import", file, "--check", "--json").stdout)["added"] == len(kinds)
    with reading() as session:
        assert session.scalars(select(CertificateType)).all() == []
    done = ezt("catalogue", "import", file, "--json")
    assert done.returncode == 0, done.stderr
    with reading() as session:
        there = {kind.code: known(kind) for kind in session.scalars(select(CertificateType))}
    assert there == {kind.code: known(kind) for kind in kinds}
    assert json.loads(ezt("catalogue", "import", file, "--json").stdout)["unchanged"] == len(kinds)
    assert set(tags()) == {"catalogue:type:added"}


def test_a_type_may_grow_and_change_and_loses_no_field(sample_data: Path, tmp_path: Path) -> None:
    kind = samples.certificate_types()[0]
    rows = rows_of(kind)
    rows[0][8] = "法人、非法人组织、自然人"
    rows[1][-4] = "企业名称"
    rows.append([kind.code, *[None] * 8, "remark", "备注栏", "文本", "个人信息", None])
    done = ezt("catalogue", "import", written(tmp_path / "目录.csv", TYPE_HEADINGS, *rows), "--json")
    (entry,) = json.loads(done.stdout)["entries"]
    assert entry["changes"] == [
        "持证主体：法人、非法人组织→法人、非法人组织、自然人",
        "字段“名称”：名称，名称，公开→企业名称，名称，公开",
        "增加字段“备注栏”",
    ]
    with reading() as session:
        field = session.get_one(CertificateType, kind.code).fields[-1]
    assert (field.code, field.kind) == ("remark", FieldKind.TEXT)
    lost = ezt("catalogue", "import", written(tmp_path / "少.csv", TYPE_HEADINGS, *rows[:-2]))
    _, said = lost.stderr.splitlines()
    assert "已有的字段核准日期、备注栏不在表中" in said


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("code", "1234", "类型代码应为21位"),
        ("issuing_level", "国", "颁证层级只能是区、市、省"),
        ("validity", "按年", "有效期为按年的须填有效年数"),
        ("holder_kinds", "龙", "持证主体"),
        ("field_code", "Holder 1", "字段代码格式不对"),
        ("field_kind", "图片", "字段类型只能是"),
        ("sensitivity", "", "敏感程度未填写"),
        ("choices", "甲、乙", "字段类型为选项的须填可选内容，其他的不填"),
        ("field_code", "state", "是每种证照都有的"),
        ("name", "食品经营许可证", "在目录中是"),
        ("stale_after_hours", "很久", "更新小时数"),
    ],
)
def test_a_wrong_cell_of_the_catalogue_is_named_and_nothing_is_written(
    sample_data: Path, tmp_path: Path, column: str, value: str, said: str
) -> None:
    row = rows_of(samples.certificate_types()[0])[0]
    row[0] = f"{NEW}001"
    row[1] = "新证照"
    row[list(TYPES.headings).index(column)] = value
    good = [f"{NEW}002", "好证照", *row[2:9], "number", "编号", "编号", "公开"]
    good[2:9] = rows_of(samples.certificate_types()[0])[0][2:9]
    done = ezt("catalogue", "import", written(tmp_path / "目录.csv", TYPE_HEADINGS, good, row))
    assert (done.returncode, done.stdout) == (2, "")
    assert "第3行" in done.stderr
    assert said in done.stderr
    assert tags() == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_rows_of_a_type_agree(sample_data: Path, tmp_path: Path) -> None:
    rows = rows_of(samples.certificate_types()[0])
    rows[2][5] = "按年"
    rows[3][-4] = rows[2][-4]
    done = ezt("catalogue", "import", written(tmp_path / "目录.csv", TYPE_HEADINGS, *rows))
    assert "第4行：有效期“按年”与第2行的“长期”不同" in done.stderr
    assert "第5行：字段名称与第4行相同" in done.stderr


def test_authorities_come_in_by_name(sample_data: Path, tmp_path: Path) -> None:
    headings = ["颁证机构", "机构代码"]
    rows = [["绍兴县某旧局", "330621"], [MARKET, NEW]]
    done = ezt("catalogue", "import-authorities", written(tmp_path / "机构.csv", headings, *rows), "--json")
    assert [each["new"] for each in json.loads(done.stdout)["entries"]] == [True, False]
    with reading() as session:
        assert session.get_one(IssuingAuthority, "绍兴县某旧局").code == "330621"
        assert session.get_one(IssuingAuthority, MARKET).code == NEW
    wrong = ezt(
        "catalogue", "import-authorities", written(tmp_path / "错.csv", headings, ["某局", "3306"], *rows[:1] * 2)
    )
    assert "第2行：机构代码应为18位" in wrong.stderr
    assert "第4行：颁证机构与第3行相同" in wrong.stderr
