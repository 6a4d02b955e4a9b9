"""``ezt sample-data``: loading it, loading it again, and not loading it where it has no business."""

import json
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import func, select

from models.certificates import Certificate
from models.organisations import Officer, Role
from runtime.database import reading, transaction
from tests.command_line.conftest import assert_refused, ezt

FEW = ("--holders", "60")


def test_loading_twice_changes_nothing_and_says_so(installation: Path) -> None:
    first = json.loads(ezt("sample-data", *FEW, "--json").stdout)
    assert first["changed"]
    assert first["added"] == {
        "certificate_types": 12,
        "departments": 30,
        "issuing_authorities": 44,
        "officers": 4,
        "inspectors": 4,
        "phrases": 6,
        "applications": 12,
        "liaison_officers": 27,
        "use_list_entries": 17,
        "certificates": 120,
        "service_guides": 9,
        "trial_certificates": 12,
    }
    assert "没有变动" in ezt("sample-data", *FEW).stdout
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 120 + 12


def test_more_holders_only_add(installation: Path) -> None:
    assert json.loads(ezt("sample-data", "--holders", "6", "--json").stdout)["added"]["certificates"] == 12
    assert json.loads(ezt("sample-data", *FEW, "--json").stdout)["added"]["certificates"] == 108
    assert json.loads(ezt("sample-data", "--json").stdout)["added"]["certificates"] == 3880


def test_a_negative_number_of_holders_is_misuse(installation: Path) -> None:
    done = ezt("sample-data", "--holders", "-1")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_nothing_secret_is_printed_unless_asked_for(installation: Path) -> None:
    ezt("sample-data", *FEW)
    with reading() as session:
        secret = session.get_one(Officer, "KQ001").code_secret
    assert secret not in ezt("sample-data", *FEW, "--json").stdout
    shown = ezt("sample-data", *FEW, "--show-codes").stdout
    assert secret in shown
    assert "KQ-SCJG" in shown


def test_the_codes_shown_are_the_codes_that_count(installation: Path) -> None:
    shown = json.loads(ezt("sample-data", *FEW, "--show-codes", "--json").stdout)
    with reading() as session:
        officer = session.get_one(Officer, "KQ004")
    enrolled = pyotp.parse_uri(shown["officers"]["KQ004"])
    assert isinstance(enrolled, pyotp.TOTP)
    assert enrolled.at(0) == pyotp.TOTP(officer.code_secret).at(0)


def test_what_staff_changed_meanwhile_stays(installation: Path) -> None:
    ezt("sample-data", *FEW)
    with transaction() as session:
        session.get_one(Officer, "KQ002").active = False
    ezt("sample-data", *FEW)
    with reading() as session:
        assert not session.get_one(Officer, "KQ002").active


@pytest.mark.parametrize("staff_no", ["KQ001", "ZX100"])
def test_a_register_in_use_gets_no_known_secrets(staff_no: str, installation: Path) -> None:
    with transaction() as session:
        session.add(
            Officer(staff_no=staff_no, name="某人", role=Role.OFFICER, email="a@example.cn", code_secret="A" * 32)
        )
    done = ezt("sample-data", *FEW)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    with reading() as session:
        assert list(session.scalars(select(Officer.staff_no))) == [staff_no]


def test_another_seed_does_not_mix_in(installation: Path) -> None:
    ezt("sample-data", *FEW, "--seed", "1")
    done = ezt("sample-data", *FEW, "--seed", "2")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_without_tables_it_says_what_to_do_first(home: Path) -> None:
    assert_refused(ezt("sample-data"), "ezt migrate")
    assert not (home / "ezt.db").exists()
