"""``ezt application``: registering a program, changing its secret, ending it."""

import json
from pathlib import Path

import pytest

from models.organisations import Application
from runtime.database import reading
from tasks.office.applications import caller_of
from tests.command_line.conftest import assert_refused, ezt

MARKET = "绍兴市柯桥区市场监督管理局"


def is_self_service(key: str) -> bool:
    with reading() as session:
        return session.get_one(Application, key).self_service


def test_a_program_is_registered_gets_a_new_secret_and_is_ended(sample_data: Path) -> None:
    made = json.loads(ezt("application", "add", "KQ-NEW", MARKET, "--network", "10.1.0.0/16", "--json").stdout)
    caller = caller_of.__wrapped__("KQ-NEW")
    assert caller is not None
    assert ([secret for secret, _ in caller.secrets], caller.speaks_for) == ([made["secret"]], MARKET)
    assert [caller.may_call_from(address) for address in ("10.1.2.3", "10.2.2.3", "?")] == [True, False, False]
    changed = json.loads(ezt("application", "rotate", "KQ-NEW", "--overlap-hours", "1", "--json").stdout)
    caller = caller_of.__wrapped__("KQ-NEW")
    assert caller is not None
    (new, no_end), (old, until_at) = caller.secrets
    assert (new, old, no_end) == (changed["secret"], made["secret"], None)
    assert until_at is not None
    assert "自助办理" in ezt("application", "self-service", "KQ-NEW").stdout
    assert is_self_service("KQ-NEW")
    assert "窗口人员" in ezt("application", "self-service", "KQ-NEW", "--no").stdout
    assert not is_self_service("KQ-NEW")
    assert "已停用" in ezt("application", "end", "KQ-NEW").stdout
    assert caller_of.__wrapped__("KQ-NEW") is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "KQ-SCJG", MARKET], "已登记"),
        (["add", "KQ-NEW", "没有的局"], "核对全称"),
        (["add", "KQ-NEW", MARKET, "--bureau"], "绍兴市大数据局"),
        (["add", "?", MARKET], "字母"),
        (["add", "KQ-NEW", MARKET, "--network", "10.1.2.3/8"], "整个网段写10.0.0.0/8，只许这一台的写10.1.2.3"),
        (["add", "KQ-NEW", MARKET, "--network", "10.12.0.0"], "没有写掩码：整个网段应如10.12.0.0/16"),
        (["add", "KQ-NEW", MARKET, "--network", "somewhere"], "不是网段"),
        (["network", "KQ-SCJG", "10.12.0.0"], "没有写掩码"),
        (["network", "NOBODY", "10.12.0.0/16"], "没有登记"),
        (["rotate", "NOBODY"], "没有登记"),
        (["rotate", "KQ-SCJG", "--overlap-hours", "-1"], "overlap-hours"),
        (["end", "NOBODY"], "没有登记"),
        (["self-service", "NOBODY"], "没有登记"),
    ],
)
def test_what_cannot_be_is_one_chinese_line(sample_data: Path, arguments: list[str], said: str) -> None:
    assert_refused(ezt("application", *arguments), said)


def test_what_was_registered_is_said_listed_and_set_right(sample_data: Path) -> None:
    said = ezt("application", "add", "KQ-NEW", MARKET, "--network", "10.1.2.3").stdout.splitlines()
    assert said[:3] == [f"单位：{MARKET}", "可从何处调用：10.1.2.3", "应用标识：KQ-NEW"]
    assert said[3].startswith("密钥：")
    assert "只显示这一次" in said[3]
    assert f"KQ-NEW  部门  {MARKET}  在用  10.1.2.3/32" in ezt("application", "list").stdout.splitlines()
    assert ezt("application", "network", "KQ-NEW", "10.1.0.0/16", "10.2.0.0/16").stdout == (
        "应用KQ-NEW可从何处调用：10.1.0.0/16、10.2.0.0/16。\n"
    )
    caller = caller_of.__wrapped__("KQ-NEW")
    assert caller is not None
    assert [caller.may_call_from(address) for address in ("10.2.2.3", "10.3.2.3")] == [True, False]
    assert "不限" in ezt("application", "network", "KQ-NEW").stdout
    listed = json.loads(ezt("application", "list", "--json").stdout)
    assert {each["key"]: each["networks"] for each in listed}["KQ-NEW"] == []
    assert "secret" not in json.dumps(listed)
