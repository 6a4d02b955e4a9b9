"""``ezt audit``: the record is checked where it lies and where it was handed out."""

import json
from pathlib import Path

from sqlalchemy import select, text

from models.cases import Answer
from runtime import clock
from runtime.database import transaction
from tasks.audit import record
from tasks.keeping.records import seal_record
from tasks.objections.questions import InitialReview
from tests.command_line.conftest import assert_refused, ezt
from tests.conftest import Clerk


def test_verify_export_and_verify_file(installation: Path, tmp_path: Path) -> None:
    with transaction() as session:
        for number in range(12):
            record(session, "case:sheet:read", None, "KQ001", clock.now(), number=number)
    seal_record(clock.now())
    verified = ezt("audit", "verify", "--json")
    answer = json.loads(verified.stdout)
    assert (verified.returncode, answer["entries"], answer["findings"]) == (0, 12, [])
    file = tmp_path / "日志.jsonl"
    exported = ezt("audit", "export", str(file))
    assert (exported.returncode, exported.stdout) == (0, f"已导出12条日志到{file}。\n")
    # Whoever only has the file and the head that was written down needs no installation.
    alone = ezt("audit", "verify-file", str(file), "--head", answer["head"], EZT_HOME=str(tmp_path / "none"))
    assert alone.returncode == 0
    assert "没有发现改动" in alone.stdout
    assert not (tmp_path / "none").exists()

    with transaction() as session:
        session.execute(text("DROP TRIGGER audit_entries_no_update"))
        session.execute(text("UPDATE audit_entries SET actor = 'KQ002' WHERE id = 7"))
    tampered = ezt("audit", "verify")
    assert tampered.returncode == 1
    assert "第1号（第1至12条）中有日志被改动" in tampered.stdout


def test_what_cannot_be_checked_is_one_line(home: Path, tmp_path: Path) -> None:
    assert_refused(ezt("audit", "verify"), "ezt migrate")
    assert_refused(ezt("audit", "verify-file", str(tmp_path / "none")), "不存在")
    assert_refused(ezt("audit", "export", str(tmp_path / "none" / "file")), "ezt migrate")


def test_an_answer_that_was_changed_after_it_was_recorded_is_found(clerk: Clerk) -> None:
    case_no = clerk.register().case_no
    assert Clerk(case_no).answer(InitialReview, verdict="受理") is None
    seal_record(clock.now())
    assert ezt("audit", "verify").returncode == 0
    with transaction() as session:
        answer = session.scalars(select(Answer).where(Answer.case_no == case_no)).one()
        answer.given = {"verdict": "不予受理", "reason": "所述不是证照登记的事项。"}
    verified = ezt("audit", "verify")
    assert verified.returncode == 1
    assert f"办件答复{case_no} initial-review-1与登记时的封印不符" in verified.stdout
    assert "发现1处不符" in verified.stdout
