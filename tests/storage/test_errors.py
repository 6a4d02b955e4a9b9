"""What the database's errors say: never what was to be stored. They end up in logs and in Prefect's database."""

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.migrations import migrate
from models.organisations import Officer, Role
from runtime.database import build_engine


def test_an_integrity_error_tells_nobody_names_and_secrets(empty_database: str) -> None:
    migrate(empty_database)
    engine = build_engine(empty_database)
    personal = {"name": "章小满", "email": "zhangxiaoman@example.cn", "code_secret": "JBSWY3DPEHPK3PXP"}
    with Session(engine) as session:
        session.add(Officer(staff_no="KQ901", role=Role.OFFICER, **personal))
        session.commit()
        session.expunge_all()
        session.add(Officer(staff_no="KQ901", role=Role.OFFICER, **personal))
        with pytest.raises(IntegrityError) as raised:
            session.commit()
    engine.dispose()
    assert "officers" in str(raised.value)
    assert [value for value in personal.values() if value in str(raised.value)] == []
    assert "经办人" not in str(raised.value)
