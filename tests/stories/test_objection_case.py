"""The objection story on a real Prefect server with a real worker, from the start form to the closing e-mail."""

import re
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt.desk import NotThereError
from gateways.stand_in import StandIn
from models.cases import Case
from models.certificates import Certificate, CertificateType
from models.desk import DeskEntry
from regulation.certificates import CertificateState, Level
from runtime import clock
from runtime.database import reading
from runtime.settings import settings
from tests.conftest import officer_of, secrets_of_installation, wait_until

pytestmark = pytest.mark.timeout(600)

PERSON = {"objector_name": "俞𠮷云", "email": "yujiyun@example.com", "phone": "0575-84120001"}


def a_certificate(source: Level) -> tuple[Certificate, CertificateType]:
    """A valid certificate of the sample whose type has this source."""
    with reading() as session:
        found = session.execute(
            select(Certificate, CertificateType)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.source == source, Certificate.state == CertificateState.VALID)
            .order_by(Certificate.id)
        ).first()
    assert found is not None
    return found[0], found[1]


def application(certificate: Certificate, kind: CertificateType) -> dict[str, str]:
    """What is typed into the form at the desk."""
    return {
        "objector_kind": "持证主体",
        **PERSON,
        "certificate_type": kind.name,
        "certificate": certificate.number,
        "field": kind.names["address"],
        "grounds-0": "准确性",
        "stated": certificate.face["address"],
        "proposed": "绍兴市柯桥区柯桥街道群贤路9999号",
        "reason": "门牌号登记有误，与门牌证不一致。",
        "way": "来访",
        "received_on": str(clock.today()),
    }


def test_start_form_to_closing_mail(
    mailbox: Any, city_bureau: StandIn, desk: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, kind = a_certificate(Level.CITY)
    # Opened from Prefect, it is filled in and signed at the desk; refused first, nothing of it is lost.
    intake = desk.submit("登记异议/objection-intake")
    desk.wait(intake, StateType.PAUSED)
    with reading() as session:
        entry = session.scalars(select(DeskEntry.id)).one()
    given = application(certificate, kind)
    with pytest.raises(NotThereError, match="联系电话格式不对"):
        desk.start("objection", "KQ001", entry, **given | {"phone": "无"})
    case_no = f"YY-{clock.today().year}-000001"
    assert case_no in desk.start("objection", "KQ001", entry, **given)
    registered = desk.wait(intake, StateType.COMPLETED, StateType.FAILED, StateType.CRASHED)
    assert (registered.state.type, registered.parameters) == (StateType.COMPLETED, {}), registered.state
    assert registered.name == f"登记异议 · {case_no}"

    run_id = case_run(case_no)
    waiting = desk.wait(run_id, StateType.PAUSED)
    assert waiting.name == f"异议 {case_no} · {kind.name} · 待初审"
    officer = officer_of(case_no)
    # Prefect shows the case masked and says who is waited for, with the way to the desk, where everything stands.
    (shown,) = desk.client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(like_="%-timeline")))
    assert r"俞\*云" in str(shown.data)
    assert f"[打开办件]({settings().desk}/desk/cases/{case_no}) 初审：受理" in str(shown.data)
    assert PERSON["objector_name"] in desk.page(case_no)
    assert case_no in desk.browser(officer).get("/desk").text
    # Resumed by hand, the run looks again and waits on.
    desk.client.resume_flow_run(run_id)
    wait_until(lambda: desk.client.read_flow_run(run_id).state.type is StateType.PAUSED, "没有继续等待")

    # A wrong code is refused beside the form, and the case goes on waiting.
    with pytest.raises(NotThereError, match="一次性验证码不对或已过期"):
        desk.decide(case_no, "initial-review", code="000000", verdict="受理")
    desk.decide(case_no, "initial-review", verdict="受理")

    # The request goes out; the reply is fetched by the scheduled correspondence.
    until_stage(desk, case_no, "核实中")
    desk.wait(run_id, StateType.PAUSED)
    desk.carry_out("系统巡检/system-round", only=["上级往来"])
    until_stage(desk, case_no, "待拟定结果")
    desk.wait(run_id, StateType.PAUSED)

    # The form offers what the reply allows, and nothing else is taken.
    assert re.findall(r'name="outcome" value="(\w+)"', desk.page(case_no)) == ["已更正", "部分更正"]
    with pytest.raises(NotThereError, match="处理结果应为“已更正”"):
        desk.decide(case_no, "outcome", "KQ004", outcome="维持原信息", reason="经核实，登记的地址没有错误。")
    spare = next(no for no in ("KQ001", "KQ002", "KQ003") if no != officer)
    desk.start("hand-over", "KQ004", case_no=case_no.rpartition("-")[2], to=spare, why="轮岗")
    desk.decide(case_no, "outcome", spare, outcome="已更正", reason="登记的地址有误，现予更正。")
    # Another approves it: returned with a reason, drafted anew, approved. Whoever drafted it does not.
    with pytest.raises(NotThereError):
        desk.decide(case_no, "approve-outcome", spare, opinion="同意")
    desk.decide(case_no, "approve-outcome", "KQ004", opinion="退回重拟", reason="理由须写明依据。")
    desk.decide(case_no, "outcome", spare, outcome="已更正", reason="经市局核实，登记的地址有误，已更正。")
    with pytest.raises(NotThereError, match="持证主体还没有得到告知"):
        desk.decide(case_no, "approve-outcome", "KQ004", opinion="同意")
    desk.decide(case_no, "approve-outcome", "KQ004", opinion="同意", reason="错误明显，已电话告知持证主体。")
    done = desk.wait(run_id, StateType.COMPLETED, StateType.FAILED)
    assert done.state.type is StateType.COMPLETED, done.state
    assert done.name.endswith("已办结")

    with reading() as session:
        versions = session.scalars(
            select(Certificate).where(Certificate.root == certificate.root).order_by(Certificate.version)
        ).all()
    assert [version.state for version in versions] == [CertificateState.SUPERSEDED, CertificateState.VALID]
    assert versions[1].face["address"] == "绍兴市柯桥区柯桥街道群贤路9999号"
    # What another dispatcher was still sending may hold the last one back until the next round.
    wait_until(lambda: len(mailbox.to(PERSON["email"])) == 4, "四封通知没有到齐", 90)
    subjects = [mail["Subject"] for mail in mailbox.to(PERSON["email"])]
    assert [subject[:8] for subject in subjects] == [
        "已收到您的异议（",
        "您的异议已受理（",
        "已向绍兴市大数据",
        "异议处理结果（Y",
    ]

    # Nothing of the person has stayed in Prefect's database or in the run's logs.
    found = desk.scan([*PERSON.values(), certificate.number, "群贤路9999号"])
    assert found == []
    # Nor has anything that opens something, the link in the objector's mails included.
    secrets = secrets_of_installation()
    assert {"kq-secret"} < secrets
    assert desk.scan(sorted(secrets)) == []
    logs = "".join((desk.home / name).read_text(errors="replace") for name in ("server.log", "worker.log"))
    assert "Worker" in logs
    assert {secret for secret in secrets if secret in logs} == set()


def case_run(case_no: str) -> UUID:
    def given() -> str | None:
        with reading() as session:
            return session.get_one(Case, case_no).flow_run_id

    # A page answers before Prefect is told.
    wait_until(given, f"{case_no}没有运行")
    return UUID(str(given()))


def until_stage(desk: Any, case_no: str, stage: str) -> None:
    until = time.monotonic() + 90
    while True:
        with reading() as session:
            now = session.get_one(Case, case_no).stage
        if now == stage:
            return
        log = (desk.home / "worker.log").read_text(errors="replace")[-3000:]
        assert time.monotonic() < until, f"{now} instead of {stage}\n{log}"
        time.sleep(0.3)
