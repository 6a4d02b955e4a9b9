"""Signing on with an account of Zhezhengding, against a real stand-in server on loopback."""

import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gateways import zhezhengding
from gateways.zhezhengding import (
    ACCOUNT_PATH,
    CodeError,
    ZhezhengdingUnavailableError,
    account_of,
    sign_in_address,
)
from gateways.zhezhengding_stand_in import Fault, StandIn, running
from runtime import clock

Configure = Callable[..., None]
KEY, SECRET = "ezt-desk", "the-secret-of-the-desk"


@pytest.fixture
def stand_in(home: Path, configure: Configure) -> Iterator[StandIn]:
    """A stand-in that knows two accounts, and settings that point to it."""
    with running(StandIn(KEY, SECRET, ["10001", "10002"])) as server:
        configure(
            EZT_ZHEZHENGDING__URL=server.url,
            EZT_ZHEZHENGDING__SIGN_IN_URL=server.sign_in_url,
            EZT_ZHEZHENGDING__APP_KEY=KEY,
            EZT_ZHEZHENGDING__APP_SECRET=SECRET,
        )
        yield server
        zhezhengding.close()


def test_a_code_says_whose_account_it_is_once(stand_in: StandIn) -> None:
    code = stand_in.issue("10001")
    assert account_of(f" {code} ") == "10001"
    with pytest.raises(CodeError, match="已用过"):
        account_of(code)


def test_a_code_that_is_made_up_or_too_old_says_nothing(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("", "  ", "made-up"):
        with pytest.raises(CodeError):
            account_of(code)
    code = stand_in.issue("10001")
    late = clock.now() + timedelta(minutes=6)
    monkeypatch.setattr(clock, "now", lambda: late)
    with pytest.raises(CodeError):
        account_of(code)


def test_its_page_sends_back_with_a_code_and_the_state_that_was_sent_along(stand_in: StandIn) -> None:
    page = httpx.get(sign_in_address("a&state", "https://desk.example.cn/desk/signed-on"))
    assert "10002" in page.text
    chosen = {"account": "10002", "back": "https://desk.example.cn/desk/signed-on", "state": "a&state"}
    back = httpx.get(f"{stand_in.url}/stand-in/chosen", params=chosen).headers["location"]
    assert back.startswith("https://desk.example.cn/desk/signed-on?code=")
    assert httpx.URL(back).params["state"] == "a&state"
    assert account_of(httpx.URL(back).params["code"]) == "10002"


@pytest.mark.parametrize(
    ("changed", "value"), [("APP_SECRET", "another"), ("APP_KEY", "another"), ("URL", "http://127.0.0.1:9")]
)
def test_wrong_settings_are_not_the_code_s_fault(
    stand_in: StandIn, configure: Configure, changed: str, value: str
) -> None:
    configure(**{f"EZT_ZHEZHENGDING__{changed}": value})
    with pytest.raises(ZhezhengdingUnavailableError, match="工号和一次性验证码"):
        account_of(stand_in.issue("10001"))


@pytest.mark.parametrize("fault", Fault)
def test_a_sign_on_that_is_away_is_said_and_a_code_is_asked_for_once(
    stand_in: StandIn, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zhezhengding, "ANSWER_WITHIN", 0.3)
    stand_in.slow_by = 1
    stand_in.order(fault)
    with pytest.raises(ZhezhengdingUnavailableError) as refused:
        account_of(stand_in.issue("10001"))
    said = "".join(traceback.format_exception(refused.value))
    assert SECRET not in said
    assert stand_in.calls[ACCOUNT_PATH] == 0


def test_where_it_is_not_set_up_nobody_signs_on_with_it(home: Path) -> None:
    assert not zhezhengding.is_set_up()
    with pytest.raises(ZhezhengdingUnavailableError, match="没有设置"):
        account_of("a-code")
