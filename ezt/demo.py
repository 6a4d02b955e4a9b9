"""One objection from filing to the last e-mail, through a real server, worker, stand-in bureau and mail server."""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.schemas.objects import StateType
from sqlalchemy import select

from ezt.desk import Desk, NotThereError
from ezt.samples import data
from ezt.up import System, free_port, running
from models.cases import Case
from models.certificates import Certificate, CertificateType
from regulation.approvals import Opinion
from regulation.certificates import CertificateState, Level
from regulation.objections import Outcome, Verdict
from runtime.database import forget_engine, reading
from runtime.keys import keys, seal_keys
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.signing import KEY, NONCE, SIGNATURE, TIME, sign
from tasks.desk.runs import prefect
from tasks.desk.sheets import sheet_of
from tasks.objections.questions import InitialReview, OutcomeApproval, OutcomeDecision
from tasks.office.officers import director

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Played:
    """What the demonstration came to: the timeline as (time, what happened), and the subjects of the case's e-mails."""

    case_no: str
    timeline: list[tuple[str, str]]
    mails: list[str]


def play() -> Played:
    """Play one objection in a data folder and on ports of its own; nothing is left behind.

    Raises ``RefusalError`` when it does not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="ezt-demo-") as folder:
        # TMPDIR: Prefect's worker makes a folder of its own there and leaves it.
        own = {
            "EZT_HOME": folder,
            "TMPDIR": folder,
            "EZT_PREFECT_PORT": str(free_port()),
            "EZT_WEB_PORT": str(free_port()),
        }
        os.environ |= own | {"EZT_PUBLIC_URL": f"http://127.0.0.1:{own['EZT_WEB_PORT']}"}
        settings.cache_clear()
        keys.cache_clear()
        seal_keys.cache_clear()
        forget_engine()
        with running(samples=True, stand_in=True) as system:
            try:
                return _carry_through(system)
            except NotThereError as missing:
                raise RefusalError(f"演示没有走完（{missing}）。") from None


def _carry_through(system: System) -> Played:
    case_no = _hand_in(system)
    with prefect(system.api_url) as client:
        desk = Desk(client, system.web_url)
        run_id = _run_of(case_no)
        desk.decide(case_no, InitialReview.question, verdict=Verdict.ACCEPT)
        reason = "经绍兴市大数据局核实，证照登记的内容有误，现予更正。"
        desk.decide(case_no, OutcomeDecision.question, outcome=Outcome.CORRECTED, reason=reason)
        with reading() as session:
            approver = director(session).staff_no
        desk.decide(
            case_no,
            OutcomeApproval.question,
            approver,
            opinion=Opinion.AGREED,
            # The letter to the holder has not been posted: nobody has shown that it is they who object.
            reason="申请人就是持证主体，已电话核实，同意更正。",
        )
        desk.wait(run_id, StateType.COMPLETED)
    mails = system.home / "mail"
    _until(lambda: any("处理结果" in subject for subject in _subjects(mails, case_no)), "结果通知")
    return Played(case_no, list(sheet_of(case_no).timeline), _subjects(mails, case_no))


def _hand_in(system: System) -> str:
    """Hand in an objection as a department's system does, signed."""
    with reading() as session:
        rows = session.execute(
            select(Certificate, CertificateType)
            .join(CertificateType, CertificateType.code == Certificate.type_code)
            .where(CertificateType.source == Level.CITY, Certificate.state == CertificateState.VALID)
            .order_by(Certificate.id)
        )
        certificate, kind = next((held, kind) for held, kind in rows if "address" in kind.names)
    given = {
        "submission_no": f"demo-{secrets.token_hex(4)}",
        "objector_kind": "持证主体",
        "objector_name": certificate.holder_name,
        "email": "holder@example.cn",
        "phone": "0575-84120000",
        "certificate_type": kind.name,
        "certificate": certificate.number,
        "field": kind.names["address"],
        "grounds": ["准确性"],
        "stated": certificate.face["address"],
        "proposed": certificate.face["address"] + "之一",
        "reason": "登记的地址少了门牌的后半部分。",
    }
    key = next(name for name, kind, _ in data.APPLICATIONS if kind == "department")
    secret = data.application_secret(data.DEFAULT_SEED, key)
    path, body = "/api/v1/objections", json.dumps(given, ensure_ascii=False).encode()
    now, nonce = int(time.time() * 1000), secrets.token_hex(8)
    headers = {KEY: key, TIME: str(now), NONCE: nonce, SIGNATURE: sign(secret, "POST", path, now, nonce, body)}
    answer = httpx.post(system.web_url + path, content=body, headers=headers)
    if answer.status_code != 201:
        raise NotThereError(answer.text)
    return str(answer.json()["case_no"])


def _run_of(case_no: str) -> UUID:
    def run_id() -> str | None:
        with reading() as session:
            return session.get_one(Case, case_no).flow_run_id

    _until(lambda: run_id() is not None, "流程")
    return UUID(str(run_id()))


def _subjects(folder: Path, case_no: str) -> list[str]:
    """The subjects of a case's e-mails in their order: of a morning, the schedules send others in between."""
    files = sorted(folder.glob("*.eml"))
    subjects = [str(message_from_bytes(path.read_bytes(), policy=default)["Subject"]) for path in files]
    return [subject for subject in subjects if case_no in subject]


def _until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            raise NotThereError(f"{what}没有等到")
        time.sleep(0.3)
