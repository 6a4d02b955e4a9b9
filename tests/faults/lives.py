"""The lives of objections in the rounds of faults: each has an end that is known from the beginning, whoever is killed
meanwhile, and everybody who takes part in it: the objector, the officer, the bureau."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.certificates import Certificate, CertificateType
from regulation.certificates import Level
from regulation.objections import Stage
from runtime import clock
from tests.conftest import objection_about

REASON = "所述内容不属于证照登记事项，建议向许可机关反映。"
DECIDED = "经核实，有关情况已经查明，处理结果如上。"
AGREED = {"opinion": "同意", "reason": "错误明显，已电话告知持证主体。"}
APPROVED = {"approve-outcome-1": AGREED}


class Way(StrEnum):
    """How an answer comes."""

    DESK = "the desk's form"
    OWN = "the application itself"
    OBJECTOR = "the objector's link"


@dataclass(frozen=True, slots=True)
class End:
    """How a life goes: what is answered to each question (``None``: the objector does what ``objector`` says), where it
    ends, which steps it takes, which notices the objector gets."""

    name: str
    parts: int
    """Of so many parts of all lives."""
    level: Level
    answers: Mapping[str, Mapping[str, Any] | None]
    stage: Stage
    steps: tuple[str, ...]
    notices: tuple[str, ...]
    objector: str = ""


def ends() -> tuple[End, ...]:
    """The ends that an objection can have; dates of letters are today's."""
    today = str(clock.today())
    accept = {"initial-review-1": {"verdict": "受理", "reason": ""}}
    decline = {"verdict": "不予受理", "reason": REASON}
    asked = ("accept_objection", "prepare_pursuit", "record_sent", "take_reply")
    decided = ("submit_outcome", "take_outcome_approval", "decide_outcome")
    told = ("objection-registered", "objection-accepted", "verification-sent")
    letter = {
        "letter-posted-1": {"letter_no": "柯数〔2026〕3号", "posted_on": today},
        "verification-reply-1": {
            "finding": "原数据无误",
            "content": "经核实，登记无误",
            "corrected_value": "",
            "reply_no": "浙数函〔2026〕1号",
            "replied_on": today,
        },
        "outcome-1": {"outcome": "维持原信息", "reason": DECIDED, "value": ""},
        **APPROVED,
    }
    return (
        End(
            "declined",
            6,
            Level.CITY,
            {"initial-review-1": decline, "approve-review-1": AGREED},
            Stage.DECLINED,
            ("submit_review", "take_review_approval", "decline_objection"),
            ("objection-registered", "objection-declined"),
        ),
        End(
            "withdrawn",
            5,
            Level.CITY,
            {"initial-review-1": None},
            Stage.WITHDRAWN,
            ("withdraw_objection",),
            ("objection-registered", "objection-withdrawn"),
            "withdraws",
        ),
        End(
            "supplemented, then declined",
            2,
            Level.CITY,
            {
                "initial-review-1": {"verdict": "要求补正", "reason": "请补交门牌证照片"},
                "supplement-1": None,
                "initial-review-2": decline,
                "approve-review-2": AGREED,
            },
            Stage.DECLINED,
            ("request_supplement", "take_supplement", "submit_review", "take_review_approval", "decline_objection"),
            ("objection-registered", "supplement-requested", "objection-declined"),
            "supplements",
        ),
        End(
            "corrected by the city",
            4,
            Level.CITY,
            accept | {"outcome-1": {"outcome": "已更正", "reason": DECIDED, "value": ""}, **APPROVED},
            Stage.CLOSED,
            (*asked, *decided, "correct_certificate", "tell_users_of_wrong_value", "close_objection"),
            (*told, "objection-closed"),
        ),
        End(
            "withdrawn after the reply",
            1,
            Level.CITY,
            accept | {"outcome-1": None},
            Stage.WITHDRAWN,
            (*asked, "withdraw_objection"),
            (*told, "objection-withdrawn"),
            "withdraws",
        ),
        End(
            "upheld after a letter to the province",
            2,
            Level.PROVINCE,
            accept | letter,
            Stage.CLOSED,
            ("accept_objection", "prepare_pursuit", "record_letter", "take_reply", *decided, "close_objection"),
            (*told, "objection-closed"),
        ),
    )


@dataclass(slots=True)
class Life:
    """One objection: who objects to what, how it ends, which way each answer takes; its case, once it has one."""

    number: int
    end: End
    ways: Mapping[str, Way]
    application: dict[str, Any]
    case_no: str = ""
    token: str = ""
    done: set[str] = field(default_factory=set)
    """What has been answered so far."""

    @property
    def email(self) -> str:
        return str(self.application["email"])

    @property
    def actions(self) -> int:
        """How much there is to do in this life, its registration included."""
        return 1 + len(self.end.answers)


def lives(seed: int, number: int, certificates: list[tuple[Certificate, CertificateType]]) -> list[Life]:
    """So many lives with their ends in the proportions of ``ends``; each objects to a certificate of its own, as a
    second objection to the same would be joined to the first. The same for the same seed."""
    drawn = random.Random(seed)  # noqa: S311
    known = ends()
    parts = [end for end in known for _ in range(end.parts)]
    chosen = [parts[place * len(parts) // number] for place in range(number)]
    drawn.shuffle(chosen)
    left = {level: [each for each in certificates if each[1].source == level] for level in Level}
    made = []
    for place, end in enumerate(chosen):
        ways = {
            asked: Way.OBJECTOR if given is None else drawn.choice([Way.DESK, Way.OWN])
            for asked, given in end.answers.items()
        }
        application = objection_about(*left[end.level].pop(), email=f"objector{place}@example.com")
        made.append(Life(place, end, ways, application.model_dump(mode="json")))
    return made


def proportions(given: list[Life]) -> Counter[str]:
    """How many lives have which end."""
    return Counter(life.end.name for life in given)
