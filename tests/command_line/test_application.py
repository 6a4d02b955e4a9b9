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
        (["add", "KQ-NEW", MARKET, "--network", "10.1.2.3/8"], "网段"),
        (["rotate", "NOBODY"], "没有登记"),
        (["rotate", "KQ-SCJG", "--overlap-hours", "-1"], "overlap-hours"),
        (["end", "NOBODY"], "没有登记"),
        (["self-service", "NOBODY"], "没有登记"),
    ],
)
def test_what_cannot_be_is_one_chinese_line(sample_data: Path, arguments: list[str], said: str) -> None:
    assert_refused(ezt("application", *arguments), said)
