"""What the filing of a liaison officer asks (Article 13)."""

from datetime import date
from typing import ClassVar

from pydantic import Field
from sqlalchemy.orm import Session

from models.cases import Case
from models.organisations import Officer
from regulation.liaisons import Verdict
from runtime.refusals import RefusalError
from runtime.words import Words
from tasks.case.hand_over import entered_by
from tasks.case.questions import Needed, Question


class LiaisonConfirmation(Question):
    question = "liaison-confirmation"
    asks = "确认专人备案，还是退回？"
    second = "登记人以外的工作人员"

    verdict: Verdict = Field(title="意见")
    reason: Words = Field("", title="退回理由", max_length=1000)

    hints: ClassVar = {"reason": {Verdict.RETURN: "写明理由和怎样更正，会告知部门"}}
    needs: ClassVar = {"reason": Needed("verdict", {Verdict.RETURN: "退回须告知部门理由"})}

    @classmethod
    def check_officer(cls, session: Session, officer: Officer, case: Case, today: date) -> None:
        """Links to what a department is asked go to a liaison officer: whoever typed one in does not confirm them."""
        if officer.staff_no in entered_by(session, case.case_no):
            raise RefusalError("登记人不能确认自己登记的专人备案，请由另一名工作人员确认，或移交办件。")
        super().check_officer(session, officer, case, today)
