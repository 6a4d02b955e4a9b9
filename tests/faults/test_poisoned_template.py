"""A template that is broken: it keeps nobody waiting but its own letter, which goes out once the template is mended."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from sqlalchemy import select

from models.cases import StaffTask
from models.notices import NoticeState, OutgoingNotice
from notifications import rendering
from notifications.sender import Dispatched, dispatch
from regulation.objections import Stage, Verdict
from runtime.database import reading
from tasks.objections import steps as objections
from tasks.objections.questions import InitialReview
from tests.command_line.conftest import ezt
from tests.conftest import Clerk, Mailbox

TEMPLATES = Path(rendering.__file__).parent / "templates"


class Template:
    """The text of one letter, which can be broken and mended."""

    def __init__(self, path: Path) -> None:
        self._path, self._right = path, path.read_text(encoding="utf-8")

    def poison(self) -> None:
        self._write(f"{self._right}{{{{ what_nobody_knows }}}}")

    def mend(self) -> None:
        self._write(self._right)

    def _write(self, text: str) -> None:
        self._path.write_text(text, encoding="utf-8")
        rendering._environment().cache.clear()  # type: ignore[union-attr]


@pytest.fixture
def declined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Template]:
    """The letter that says that an objection is not accepted."""
    here = shutil.copytree(TEMPLATES, tmp_path / "templates")
    monkeypatch.setattr(rendering._environment(), "loader", jinja2.FileSystemLoader(here))
    rendering._environment().cache.clear()  # type: ignore[union-attr]
    yield Template(here / "objection-declined" / "subject.txt")
    rendering._environment().cache.clear()  # type: ignore[union-attr]


def reviewed(clerk: Clerk, email: str, verdict: Verdict) -> Clerk:
    case = clerk.register(email=email, certificate=f"{email}的证照")
    assert case.answer(InitialReview, verdict=verdict, reason="该信息不属于电子证照信息") is None
    return case


def test_a_case_whose_letter_cannot_be_made_goes_on_as_others_do(
    clerk: Clerk, declined: Template, mailbox: Mailbox
) -> None:
    first = reviewed(clerk, "first@example.com", Verdict.DECLINE)
    second = reviewed(clerk, "second@example.com", Verdict.ACCEPT)
    declined.poison()
    objections.decline_objection.run(first.case_no)
    objections.accept_objection.run(second.case_no)
    assert (first.stage(), second.stage()) == (Stage.DECLINED, Stage.ACCEPTED)
    assert dispatch().dead == 1
    assert [len(mailbox.to(f"{who}@example.com")) for who in ("first", "second")] == [1, 2]
    with reading() as session:
        assert session.scalars(select(StaffTask.case_no)).one() == first.case_no


def test_a_letter_that_was_queued_goes_out_once_its_template_is_mended(
    clerk: Clerk, declined: Template, mailbox: Mailbox
) -> None:
    cases = [reviewed(clerk, f"{who}@example.com", Verdict.DECLINE) for who in ("first", "second")]
    dispatch()
    objections.decline_objection.run(cases[0].case_no)
    objections.withdraw_objection(cases[1].token)
    declined.poison()
    assert dispatch() == Dispatched(sent=1, retried=0, dead=1)
    with reading() as session:
        (task,) = session.scalars(select(StaffTask))
        dead = session.scalars(select(OutgoingNotice).where(OutgoingNotice.state == NoticeState.DEAD)).one()
    assert task.what.startswith("发往f***@example.com的一封通知无法送达（通知无法生成：UndefinedError）")
    assert len(mailbox.to("first@example.com")) == 1

    # Nobody has mended it: it is given up again, and said again.
    assert "重新排入通知1封" in ezt("notices", "again").stdout
    assert dispatch().dead == 1
    declined.mend()
    assert ezt("notices", "again", "--json").stdout.strip() == '{"queued": 1}'
    assert dispatch() == Dispatched(sent=1, retried=0, dead=0)
    assert mailbox.to("first@example.com")[-1]["Message-ID"] == dead.message_id
    with reading() as session:
        assert session.scalars(select(StaffTask.done_at)).one() is not None
    assert ezt("notices", "again", "--json").stdout.strip() == '{"queued": 0}'
