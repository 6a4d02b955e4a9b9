"""What a member of staff does: decides at the desk, through its pages, and triggers flows in the Prefect UI, through
the API that the UI itself uses."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx
import pyotp
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType

from models.cases import Case
from models.organisations import Officer
from runtime.database import reading
from tasks.office.signatures import CODE_SECONDS

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
"""The hidden fields of a form, by name."""


VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
"""Elements that have no end."""


class NotThereError(AssertionError):
    """What was waited for did not come."""


@dataclass
class Desk:
    """The desk over the pages of one web process and one Prefect API; ``last_steps`` are the one-time codes it has
    used, ``browsers`` who is signed in."""

    client: SyncPrefectClient
    web: str = ""
    last_steps: dict[str, int] = field(default_factory=dict)
    browsers: dict[str, httpx.Client] = field(default_factory=dict)

    def submit(self, deployment: str, **parameters: Any) -> UUID:
        """Start a deployment, with its parameters; the run's id."""
        found = self.client.read_deployment_by_name(deployment)
        return self.client.create_flow_run_from_deployment(found.id, parameters=parameters).id

    def wait(self, run_id: UUID, *states: StateType, seconds: float = 90) -> FlowRun:
        """Wait until a run is in one of these states; ``NotThereError`` after so many seconds."""
        until = time.monotonic() + seconds
        while True:
            run = self.client.read_flow_run(run_id)
            if run.state is not None and run.state.type in states:
                return run
            if time.monotonic() > until:
                raise NotThereError(f"{run.name} is {run.state} instead of {states}")
            time.sleep(0.3)

    def sign(self, staff_no: str) -> dict[str, str]:
        """Staff number and a one-time code that was not used yet: the present one, the next, or a later one."""
        with reading() as session:
            secret = session.get_one(Officer, staff_no).code_secret
        step = max(self.last_steps.get(staff_no, 0) + 1, int(time.time()) // CODE_SECONDS)
        while step > time.time() // CODE_SECONDS + 1:
            time.sleep(0.5)
        self.last_steps[staff_no] = step
        return {"staff_no": staff_no, "code": pyotp.TOTP(secret).at(step * CODE_SECONDS)}

    def browser(self, staff_no: str) -> httpx.Client:
        """A browser in which this officer is signed in at the desk."""
        if staff_no not in self.browsers:
            browser = httpx.Client(base_url=self.web, timeout=30, headers={"Origin": self.web})
            answer = browser.post("/desk/sign-in", data=self.sign(staff_no))
            if answer.status_code != 303:
                raise NotThereError(said_on(answer.text))
            self.browsers[staff_no] = browser
        return self.browsers[staff_no]

    def close(self) -> None:
        """Close the browsers."""
        for browser in self.browsers.values():
            browser.close()
        self.browsers.clear()

    def page(self, case_no: str, by: str = "") -> str:
        """The page of a case, as somebody (``by``, else who has it) sees it."""
        return self.browser(by or _officer_of(case_no)).get(f"/desk/cases/{case_no}").text

    def asked(self, case_no: str, question: str, by: str = "", seconds: float = 90) -> dict[str, str]:
        """Wait until a case asks a question, by its name; the hidden fields of its form, as somebody who may answer
        (``by``, else who has the case) gets them."""
        until = time.monotonic() + seconds
        while True:
            with reading() as session:
                waits_for = session.get_one(Case, case_no).waiting_for
            if (waits_for or "").rpartition("-")[0] == question:
                form = self.page(case_no, by).rpartition('id="asks"')[2]
                return dict(HIDDEN.findall(form))
            if time.monotonic() > until:
                raise NotThereError(f"{case_no} waits for {waits_for} instead of {question}")
            time.sleep(0.1)

    def decide(
        self,
        case_no: str,
        question: str,
        by: str = "",
        code: str = "",
        files: Sequence[tuple[str, bytes]] = (),
        **answer: Any,
    ) -> None:
        """Answer what a case asks, as soon as it does, with ``files`` (name, content), and sign, with a fresh ``code``
        where none is given. ``NotThereError`` says what the page says where it is not taken."""
        hidden, staff_no = self.asked(case_no, question, by), by or _officer_of(case_no)
        given = {name: str(value) for name, value in answer.items()}
        given["code"] = code or self.sign(staff_no)["code"]
        chosen = [("files", file) for file in files]
        sent = self.browser(staff_no).post(f"/desk/cases/{case_no}/answers", data=hidden | given, files=chosen)
        if sent.status_code != 303:
            raise NotThereError(said_on(sent.text))

    def start(self, code: str, by: str, entry: str = "", **typed: str) -> str:
        """Fill in a start's form (its fields by their names on the page; an ``entry`` that a run has opened, where
        there is one), look at it, sign it; what its receipt says. ``NotThereError`` says what the page says where it is
        not taken."""
        browser, where = self.browser(by), f"/desk/start/{code}"
        page = browser.get(where, params={"entry": entry} if entry else {}).text
        hidden = dict(HIDDEN.findall(page.rpartition('id="start"')[2]))
        answer = browser.post(f"{where}/form", data=hidden | typed | {"do": "check"}, follow_redirects=True)
        if answer.status_code != 200:
            raise NotThereError(said_on(answer.text))
        hidden = dict(HIDDEN.findall(answer.text.rpartition('id="answer"')[2]))
        sent = browser.post(f"{where}/sign", data=hidden | {"code": self.sign(by)["code"]}, follow_redirects=True)
        if sent.status_code != 200:
            raise NotThereError(said_on(sent.text))
        return sent.text


def _officer_of(case_no: str) -> str:
    with reading() as session:
        return session.get_one(Case, case_no).officer_no


def said_on(page: str) -> str:
    """What a page complains of."""
    reader = _Complaints()
    reader.feed(page)
    return " ".join(reader.found) or page


class _Complaints(HTMLParser):
    """What stands in the parts of a page that complain."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        complains = {"bad", "warn", "wrong-why"} & set((dict(attrs).get("class") or "").split())
        if self._within or complains:
            self._within += tag not in VOID

    def handle_endtag(self, tag: str) -> None:
        self._within = max(0, self._within - 1)

    def handle_data(self, data: str) -> None:
        if self._within and data.strip():
            self.found.append(data.strip())
