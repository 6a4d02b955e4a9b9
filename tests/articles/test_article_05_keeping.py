"""第五条：综合管理单位承担电子证照系统的数据保存和安全保障等工作。"""

import os
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from sqlalchemy import select, text

from models.certificates import Certificate
from runtime.database import reading
from runtime.keys import KeysMissingError, NotOursError
from runtime.settings import settings
from tasks.register.faces import by_identifier, face_of
from tests.articles.conftest import valid
from tests.conftest import forget_settings

PERSONAL = ("number", "holder_name", "holder_number", "face")


def test_what_is_kept_of_a_person_cannot_be_read_without_the_keys(sample_data: Path) -> None:
    card = valid("身份证")
    with reading() as session:
        columns = ", ".join(PERSONAL)
        wanted = text(f"SELECT {columns} FROM certificates WHERE id = :id")
        stored = session.execute(wanted, {"id": card.id}).one()
    for secret in (card.holder_name, card.holder_number, card.face["address"]):
        assert secret not in str(stored)


def test_after_a_rotation_of_the_keys_everything_is_still_there(
    sample_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = valid("身份证")
    old = settings().data_keys.get_secret_value()
    monkeypatch.setenv("EZT_DATA_KEYS", f"{urlsafe_b64encode(os.urandom(32)).decode()},{old}")
    forget_settings()
    held = by_identifier(card.identifier)
    assert held is not None
    assert face_of(held).values == card.face


@pytest.mark.parametrize("keys", [urlsafe_b64encode(os.urandom(32)).decode(), "no key"], ids=["another", "none"])
def test_without_the_right_keys_nothing_is_shown(sample_data: Path, monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setenv("EZT_DATA_KEYS", keys)
    forget_settings()
    with reading() as session, pytest.raises((NotOursError, KeysMissingError)):
        session.scalars(select(Certificate)).first()
