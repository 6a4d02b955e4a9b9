"""What is stored can be read by whoever has the keys, old ones included, and by nobody else."""

import os
import time
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.keys import Keys, KeysMissingError, NotOursError


def fresh() -> str:
    return urlsafe_b64encode(os.urandom(32)).decode()


OLD, NEW = fresh(), fresh()
KEYS = Keys(OLD, "index")


@given(st.text())
def test_what_was_sealed_is_read_again_and_never_looks_the_same_twice(text: str) -> None:
    sealed = [KEYS.encrypt_text(text) for _ in range(2)]
    assert [KEYS.decrypt_text(each) for each in sealed] == [text, text]
    assert sealed[0] != sealed[1]


def test_after_a_rotation_the_new_key_seals_and_both_read() -> None:
    rotated = Keys(f"{NEW},{OLD}", "index")
    assert rotated.decrypt_text(KEYS.encrypt_text("旧")) == "旧"
    with pytest.raises(NotOursError):
        KEYS.decrypt_text(rotated.encrypt_text("新"))
    assert Keys(NEW, "index").decrypt_text(rotated.encrypt_text("新")) == "新"


def test_every_altered_byte_is_noticed() -> None:
    sealed = KEYS.encrypt(b"330603199001011234")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(NotOursError):
            KEYS.decrypt(bytes(altered))


@pytest.mark.parametrize("text", ["", "明文", "plain", "====", "QUJDRA=="])
def test_what_was_never_sealed_is_said_so(text: str) -> None:
    with pytest.raises(NotOursError):
        KEYS.decrypt_text(text)


def test_a_ticket_knows_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, real = KEYS.ticket("attachment:1"), time.time
    assert KEYS.read_ticket(ticket, timedelta(minutes=10)) == "attachment:1"
    monkeypatch.setattr(time, "time", lambda: real() + 601)
    with pytest.raises(NotOursError):
        KEYS.read_ticket(ticket, timedelta(minutes=10))


@pytest.mark.parametrize(
    "forged",
    ["", "x", "票据", KEYS.encrypt_text("attachment:1"), Keys(NEW, "i").ticket("a")],
    ids=["nothing", "a letter", "words", "sealed, but no ticket", "with another key"],
)
def test_a_forged_ticket_is_none(forged: str) -> None:
    with pytest.raises(NotOursError):
        KEYS.read_ticket(forged, timedelta(minutes=10))


@pytest.mark.parametrize(
    "given_keys",
    ["", "short", urlsafe_b64encode(os.urandom(16)).decode(), f"{OLD},short"],
    ids=["none", "short", "half as long", "a good one and a short one"],
)
def test_keys_that_are_none_are_refused_in_one_sentence(given_keys: str) -> None:
    with pytest.raises(KeysMissingError, match="EZT_DATA_KEYS"):
        Keys(given_keys, "index")
