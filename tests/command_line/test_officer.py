"""``ezt officer``: who is on the register, and the secrets of their one-time codes."""

import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from sqlalchemy import select, update

from models.cases import Case, StaffTask
from models.organisations import Leave, Officer, Role
from models.records import AuditEntry
from regulation.certificates import Level
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError
from tasks.case.hand_over import give_case
from tasks.office.leave import file_leave
from tasks.office.signatures import DESK, SignatureError, sign
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import Clerk, by_officer, forget_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Officers have to sign with codes, whatever a trial does without."""
    monkeypatch.setenv("EZT_ONE_TIME_CODES", "true")
    forget_settings()


def secret_in(address: str) -> str:
    (secret,) = parse_qs(urlsplit(address).query)["secret"]
    return secret


def signs(staff_no: str, secret: str) -> bool:
    """Whether the officer may sign with the code that an authenticator shows for this secret now."""
    try:
        sign(staff_no, pyotp.TOTP(secret).at(int(clock.now().timestamp())), DESK)
    except SignatureError:
        return False
    return True


def tags() -> list[tuple[str, str]]:
    with reading() as session:
        wanted = select(AuditEntry.tag, AuditEntry.actor).where(AuditEntry.tag.startswith("officer:"))
        return [*session.execute(wanted.order_by(AuditEntry.id)).tuples()]


def test_the_first_officers_are_registered_where_nobody_is_yet(installation: Path, codes: None) -> None:
    assert "ezt officer add" in ezt("officer", "list").stdout
    printed = ezt("officer", "add", "kq101", "陈一宁", "chen@example.cn", "--director").stdout
    address = re.findall(r"^otpauth://.*$", printed, re.MULTILINE)[0]
    assert "▄" in printed
    assert signs("KQ101", secret_in(address))
    made = json.loads(ezt("officer", "add", "KQ102", "俞若溪", "yu@example.cn", "--json").stdout)
    assert signs("KQ102", secret_in(made["otpauth"]))
    listed = json.loads(ezt("officer", "list", "--json").stdout)
    assert [(each["staff_no"], each["role"], each["active"]) for each in listed] == [
        ("KQ101", "负责人", True),
        ("KQ102", "经办人", True),
    ]
    assert tags() == [("officer:register:added", "ezt")] * 2


def test_a_new_secret_ends_the_old_one(installation: Path, codes: None) -> None:
    old = secret_in(json.loads(ezt("officer", "add", "KQ102", "俞若溪", "yu@example.cn", "--json").stdout)["otpauth"])
    new = secret_in(json.loads(ezt("officer", "new-secret", "kq102", "--json").stdout)["otpauth"])
    assert tags()[-1] == ("officer:secret:renewed", "ezt")
    assert (signs("KQ102", old), signs("KQ102", new)) == (False, True)
    with reading() as session:
        for entry in session.scalars(select(AuditEntry)):
            assert new not in json.dumps(entry.detail)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("add", "KQ001", "某人", "a@example.cn"), "工号KQ001已登记"),
        (("add", "K 1", "某人", "a@example.cn"), "工号应为"),
        (("add", "KQ009", " ", "a@example.cn"), "姓名应为"),
        (("add", "KQ009", "某人", "没有邮箱"), "邮箱格式不对（缺少@），应如zhang@example.cn，请更正。"),
        (("add", "KQ009", "某人", "wang@kq"), "邮箱格式不对（@后面须是能收信的完整域名）"),
        (("change", "KQ001", "--email", "wang@kq"), "邮箱格式不对"),
        (("new-secret", "KQ009"), "没有工号为KQ009的在职工作人员"),
        (("deactivate", "KQ009"), "没有工号为KQ009的在职工作人员"),
        (("deactivate", "KQ004"), "唯一的在职负责人"),
        (("change", "KQ004", "--officer"), "唯一的在职负责人"),
        (("change", "KQ004"), "没有要改的内容"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(sample_data: Path, arguments: tuple[str, ...], word: str) -> None:
    assert_refused(ezt("officer", *arguments), word)
    assert tags() == []


def test_who_leaves_is_acted_for_and_staff_are_told_to_hand_over(clerk: Clerk) -> None:
    case = clerk.register()
    with reading() as session:
        whose = session.get_one(Case, case.case_no).officer_no
    left = json.loads(ezt("officer", "deactivate", whose, "--json").stdout)
    assert left == {"staff_no": whose, "active": False, "cases": [case.case_no], "acting_no": "KQ004"}
    with reading() as session:
        (told,) = session.scalars(select(StaffTask.what).where(StaffTask.key.startswith("officer-deactivated:")))
        assert session.get_one(Case, case.case_no).officer_no == whose
    assert f"工号{whose}已停用" in told
    assert "KQ004" in told
    # Nobody signs with a number that is out of service.
    with pytest.raises(SignatureError):
        sign(whose, "", DESK)
    # A new case does not come to who has left.
    with reading() as session:
        assert session.get_one(Case, clerk.register(Level.PROVINCE).case_no).officer_no != whose
    assert_refused(ezt("officer", "deactivate", whose), "没有工号")


def test_a_substitute_on_file_acts_for_who_leaves(clerk: Clerk) -> None:
    case = clerk.register()
    with transaction() as session:
        whose = session.get_one(Case, case.case_no).officer_no
        stands_in = next(no for no in ("KQ001", "KQ002", "KQ003") if no != whose)
        today = clock.today()
        leave = {"from_on": today, "until_on": today + timedelta(days=3)}
        session.add(Leave(staff_no=whose, substitute_no=stands_in, **leave))
    said = ezt("officer", "deactivate", whose).stdout
    assert f"现由工号{stands_in}代办" in said
    assert case.case_no in said.splitlines()


def test_a_number_is_given_to_nobody_else_and_back_to_who_had_it(sample_data: Path, codes: None) -> None:
    with reading() as session:
        name, old = session.get_one(Officer, "KQ002").name, session.get_one(Officer, "KQ002").code_secret
    assert ezt("officer", "deactivate", "KQ002").stdout == "工号KQ002已停用。\n"
    assert_refused(ezt("officer", "add", "KQ002", "另一人", "b@example.cn"), "属于已停用的另一人")
    back = json.loads(ezt("officer", "add", "KQ002", name, "c@example.cn", "--json").stdout)
    assert (signs("KQ002", old), signs("KQ002", secret_in(back["otpauth"]))) == (False, True)


def test_a_second_director_lets_the_first_one_go(sample_data: Path) -> None:
    assert "已更改" in ezt("officer", "change", "KQ003", "--director", "--email", "jin@example.cn").stdout
    assert ezt("officer", "deactivate", "KQ004").returncode == 0
    with reading() as session:
        officer = session.get_one(Officer, "KQ003")
        assert (officer.role, officer.email) == (Role.DIRECTOR, "jin@example.cn")
    assert_refused(ezt("officer", "deactivate", "KQ003"), "唯一的在职负责人")


def test_an_auditor_reads_and_is_given_nothing_to_decide(clerk: Clerk) -> None:
    printed = ezt("officer", "add", "KQ201", "沈一平", "shen@example.cn", "--auditor").stdout
    assert "otpauth://" in printed
    assert "KQ201  审计人员  在职" in ezt("officer", "list").stdout
    case_no = clerk.register().case_no
    with reading() as session:
        owner = session.get_one(Case, case_no).officer_no
    assert_refused(ezt("officer", "change", owner, "--auditor"), "名下有在办办件")
    assert_refused(ezt("officer", "change", "KQ201", "--auditor", "--officer"), "职责只能给一个")
    by = by_officer("KQ004")
    with pytest.raises(RefusalError, match="是审计人员，只能查看，不能接收办件"):
        give_case(case_no, "KQ201", "轮岗", by)
    with pytest.raises(RefusalError, match="是审计人员，不能代理他人办理"):
        file_leave(owner, "KQ201", clock.today(), clock.today(), by)
    with pytest.raises(SignatureError, match="审计人员只能查看"):
        sign("KQ201", "", DESK)
    # Who stands in for somebody must not become one either, nor the only director.
    other = next(no for no in ("KQ001", "KQ002", "KQ003") if no != owner)
    file_leave(owner, other, clock.today(), clock.today(), by)
    with transaction() as session:
        session.execute(update(Case).where(Case.officer_no == other).values(officer_no=owner))
    assert_refused(ezt("officer", "change", other, "--auditor"), "是休假人员的代理人")
    assert_refused(ezt("officer", "change", "KQ004", "--auditor"), "唯一的在职负责人")


def test_an_account_of_the_sign_on_is_kept_and_shown_to_nobody(sample_data: Path) -> None:
    assert "已更改" in ezt("officer", "change", "KQ001", "--account", "600123").stdout
    listed = ezt("officer", "list").stdout
    (line,) = [line for line in listed.splitlines() if line.startswith("KQ001")]
    assert line.endswith("浙政钉")
    assert "600123" not in listed + ezt("officer", "list", "--json").stdout
    assert_refused(ezt("officer", "change", "KQ002", "--account", "600123"), "已登记在工号KQ001名下")
    assert "已更改" in ezt("officer", "change", "KQ001", "--account", "").stdout
    assert "已更改" in ezt("officer", "change", "KQ002", "--account", "600123").stdout
