"""Attacks on decisions, by somebody who has Prefect's password, a stolen form, a planted cookie, or time to guess.
Those on what passes through Prefect succeeded against 0.1.0, where decisions did."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from sqlalchemy import delete, select

from ezt.desk import HIDDEN, NotThereError
from models.cases import Answer, Case
from models.desk import DeskEntry
from models.organisations import Officer, SpentCode, WrongCode
from regulation.certificates import Level
from regulation.limits import WRONG_CODES
from runtime.database import reading, transaction
from tasks.case import answers
from tasks.desk import door
from tasks.desk.runs import nudge
from tasks.desk.starts import STARTS
from tasks.objections.questions import InitialReview
from tasks.objections.registrations import register_objection
from tests.conftest import Clerk, WorkedDesk, certificate_of, objection_about, officer_of, wait_until
from tests.desk.starting import DIRECTOR, FILLED
from tests.desk.test_door import code_of, holds, key_on, let_in
from tests.interface.test_paper_reports import filled, send

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]

REVIEW = InitialReview.question
CITIZEN = {"email": "fanying@example.com", "phone": "13905751234"}
OBJECTOR = {"objector_name": "俞𠮷云", "email": "yujiyun@example.com", "phone": "0575-84120001"}
PERSONAL = {
    "objector_name",
    "email",
    "phone",
    "certificate",
    "stated",
    "proposed",
    "reason",
    "name",
    "why",
    "contact_name",
}
"""Fields of start forms in which somebody is named, or what an officer wrote."""
WHY = "鲁国栋所述与门牌证不一致，经核实不属实。"


@pytest.fixture
def desk(worked_desk: WorkedDesk) -> WorkedDesk:
    """With server and worker."""
    return worked_desk


def registered(desk: WorkedDesk) -> tuple[str, UUID]:
    """An objection as the citizen's page registers it, whose run sleeps."""
    case_no = register_objection(
        objection_about(*certificate_of(Level.PROVINCE), **OBJECTOR), [], "page", "page"
    ).case_no
    nudge(case_no)
    with reading() as session:
        run_id = UUID(session.get_one(Case, case_no).flow_run_id)
    desk.wait(run_id, StateType.PAUSED)
    return case_no, run_id


def answers_of(case_no: str) -> list[tuple[str, str | None, dict[str, object]]]:
    with reading() as session:
        wanted = select(Answer).where(Answer.case_no == case_no).order_by(Answer.id)
        return [(each.question, each.officer_no, each.given) for each in session.scalars(wanted)]


def is_closed(case_no: str) -> bool:
    with reading() as session:
        return session.get_one(Case, case_no).closed_at is not None


def in_prefect(desk: WorkedDesk, words: list[str]) -> list[str]:
    """Which of the words stand anywhere in the bytes of Prefect's data, free pages and WAL included."""
    stored = b"".join(path.read_bytes() for path in sorted(Path(desk.home).glob("prefect.db*")))
    return [word for word in words if word.encode() in stored or json.dumps(word)[1:-1].encode() in stored]


def test_an_answer_cannot_be_swapped_on_its_way_for_it_does_not_pass(desk: WorkedDesk) -> None:
    """With the work pool paused, an officer's signed answer lay in Prefect until a leg took it: whoever had the
    password deleted it and posted another."""
    case_no, run_id = registered(desk)
    swapped = {"verdict": "不予受理", "reason": "所述不是证照登记的事项。", "staff_no": "KQ001", "code": "000000"}

    def post(key: str) -> None:
        body = {"key": key, "value": json.dumps(swapped)}
        desk.client.request("POST", "/flow_runs/{id}/input", path_params={"id": run_id}, json=body)

    # Before anybody has decided: what is posted, and a resumption with an answer, are no answer.
    post(f"suspended-{REVIEW}-1-1-response")
    desk.client.resume_flow_run(run_id, run_input=swapped)
    wait_until(lambda: desk.client.read_flow_run(run_id).state.type is StateType.PAUSED, "没有继续等待")
    assert answers_of(case_no) == []

    desk.client.update_work_pool("ezt", WorkPoolUpdate(is_paused=True))
    desk.decide(case_no, REVIEW, verdict="受理")
    kept = desk.client.request(
        "POST", "/flow_runs/{id}/input/filter", path_params={"id": run_id}, json={"prefix": ""}
    ).json()
    assert "受理" not in str([each for each in kept if each["value"] != json.dumps(swapped)])
    state = desk.client.read_flow_run(run_id).state
    assert state.state_details.run_input_keyset is None
    post(f"suspended-{state.state_details.pause_key}-response")
    desk.client.update_work_pool("ezt", WorkPoolUpdate(is_paused=False))
    wait_until(lambda: Clerk(case_no).stage() != "待初审", "没有受理")
    assert [(question, given["verdict"]) for question, _, given in answers_of(case_no)] == [(REVIEW, "受理")]
    assert Clerk(case_no).stage() != "不予受理"
    assert answers.changed_answers() == []


def test_no_code_and_nothing_of_a_person_is_in_prefect_s_bytes_after_full_stories(desk: WorkedDesk) -> None:
    """Free pages and the WAL kept what parameters and forms had been overwritten with."""
    codes: list[str] = []
    sign = desk.sign

    def noted(staff_no: str) -> dict[str, str]:
        signed = sign(staff_no)
        codes.append(signed["code"])
        return signed

    desk.sign = noted  # type: ignore[method-assign]
    report = send(desk.web, filled(desk.web, account=f"{WHY}请转告。", **CITIZEN))
    assert report.status_code == 200
    case_no, run_id = registered(desk)
    with reading() as session:
        paper = session.scalars(select(Case.case_no).where(Case.case_no.startswith("FY"))).one()
        names = list(session.scalars(select(Officer.name)))
    desk.decide(paper, "paper-report-verdict", verdict="不属实", reason=WHY)
    wait_until(lambda: is_closed(paper), "反映没有办结", 180)
    # Refused first: the code that was sent along is unspent, and nobody can read it anywhere.
    with pytest.raises(NotThereError):
        desk.decide(case_no, REVIEW, verdict="不予受理", reason="")
    desk.decide(case_no, REVIEW, verdict="不予受理", reason=WHY)
    desk.decide(case_no, "approve-review", "KQ004", opinion="同意", reason=WHY)
    desk.wait(run_id, StateType.COMPLETED)
    assert Clerk(case_no).stage() == "不予受理"
    certificate, _ = certificate_of(Level.PROVINCE)
    words = [*CITIZEN.values(), *OBJECTOR.values(), "鲁国栋", WHY, certificate.number, certificate.holder_name, *names]
    assert len(codes) >= 4
    assert in_prefect(desk, [case_no]) == [case_no]
    assert in_prefect(desk, words) == []
    # Six digits stand there by chance, in instants and identifiers: as a code's value they must not.
    stored = b"".join(path.read_bytes() for path in sorted(Path(desk.home).glob("prefect.db*")))
    assert [code for code in codes if f'"{code}"'.encode() in stored or f'\\"{code}\\"'.encode() in stored] == []


def test_nothing_of_what_staff_start_is_in_prefect_s_bytes(desk: WorkedDesk) -> None:
    """A start form's parameters were what the free pages kept of persons."""

    def sign_at_once(staff_no: str) -> dict[str, str]:
        # Nobody waits half a minute here for the next code.
        with transaction() as session:
            session.execute(delete(SpentCode).where(SpentCode.staff_no == staff_no))
        desk.last_steps.clear()
        return WorkedDesk.sign(desk, staff_no)

    desk.sign = sign_at_once  # type: ignore[method-assign]
    typed: list[str] = []
    for code, start in STARTS.items():
        run_id = desk.submit(f"{start.about.named}/{start.about.deployment}")
        desk.wait(run_id, StateType.PAUSED)
        with reading() as session:
            entry = session.scalars(select(DeskEntry.id).where(DeskEntry.flow_run_id == str(run_id))).one()
        given = FILLED[code]()
        desk.start(code, DIRECTOR, entry, **given)
        desk.wait(run_id, StateType.COMPLETED)
        typed += [text for name, text in given.items() if name in PERSONAL or name.startswith("values-")]
    personal = [text for text in typed if text and not text.endswith("局")]
    assert len(personal) > 15
    assert in_prefect(desk, personal) == []


# Without Prefect


@pytest.fixture
def browser(web: str, clerk: Clerk, configure: Callable[..., None]) -> Iterator[httpx.Client]:
    configure(EZT_ONE_TIME_CODES="true")
    with httpx.Client(base_url=web, headers={"Origin": web}, timeout=30) as opened:
        yield opened


@pytest.fixture
def waiting(clerk: Clerk) -> str:
    """A case that waits for its review."""
    case_no = clerk.register().case_no
    assert answers.answer_or_wait(case_no, InitialReview, 1) is None
    return case_no


def form_of(browser: httpx.Client, case_no: str) -> dict[str, str]:
    page = browser.get(f"/desk/cases/{case_no}").text
    return dict(HIDDEN.findall(page.rpartition('id="asks"')[2]))


def test_whoever_is_at_an_unlocked_desk_guesses_five_codes_and_waits(browser: httpx.Client, waiting: str) -> None:
    let_in(browser, "KQ004")
    right = int(code_of("KQ004"))
    said = []
    for number in range(20):
        given = {"verdict": "受理", "code": f"{(right + 1 + number) % 10**6:06}"}
        answer = browser.post(f"/desk/cases/{waiting}/answers", data=form_of(browser, waiting) | given)
        assert answer.status_code != 303
        said.append("没有核对" in answer.text)
    with reading() as session:
        assert len(session.scalars(select(WrongCode)).all()) == WRONG_CODES.value
    assert said == [False] * WRONG_CODES.value + [True] * (20 - WRONG_CODES.value)
    assert (Clerk(waiting).stage(), answers_of(waiting)) == ("待初审", [])


def test_a_code_that_was_spent_on_a_decision_opens_nothing(browser: httpx.Client, waiting: str, web: str) -> None:
    officer = officer_of(waiting)
    token = door.begin(officer, "127.0.0.1")
    browser.cookies.set("ezt-desk", token)
    code = code_of(officer)
    sent = form_of(browser, waiting) | {"verdict": "受理", "code": code}
    assert browser.post(f"/desk/cases/{waiting}/answers", data=sent).status_code == 303
    with httpx.Client(base_url=web, headers={"Origin": web}) as thief:
        assert thief.post("/desk/sign-in", data={"staff_no": officer, "code": code}).status_code == 403
    # Sent again, the form is the same decision.
    assert browser.post(f"/desk/cases/{waiting}/answers", data=sent).status_code == 303
    assert len(answers_of(waiting)) == 1


def test_a_form_that_was_made_for_another_session_is_none_of_this_one_s(
    browser: httpx.Client, waiting: str, web: str
) -> None:
    let_in(browser, "KQ004")
    stolen = form_of(browser, waiting)
    with httpx.Client(base_url=web, headers={"Origin": web}) as other:
        let_in(other, "KQ001")
        sent = stolen | {"verdict": "受理", "code": code_of("KQ001")}
        answer = other.post(f"/desk/cases/{waiting}/answers", data=sent)
        assert (answer.status_code, "不是您这次登录后打开的" in answer.text) == (403, True)
        assert other.post("/desk/sign-out", data={"form_key": stolen["form_key"]}).status_code == 403
    assert answers_of(waiting) == []


@pytest.mark.parametrize("planted", ["made-up", "of the attacker"])
def test_a_session_that_was_planted_in_a_browser_is_not_the_one_that_is_begun(
    browser: httpx.Client, planted: str
) -> None:
    token = "a" * 43 if planted == "made-up" else door.begin("KQ001", "203.0.113.9")
    browser.cookies.set("ezt-desk", token, domain="127.0.0.1", path="/")
    answer = let_in(browser, "KQ004")
    assert f"ezt-desk={token}" not in answer.headers["set-cookie"]
    assert not holds(token)
    assert "KQ004，负责人" in browser.get("/desk").text
    assert key_on(browser.get("/desk").text)
