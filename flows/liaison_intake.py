"""A filing of a liaison officer that came on paper (Article 13)."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import Field, ValidationError

from flows.asking import SignOff
from runtime.refusals import RefusalError, in_chinese
from runtime.words import Words
from tasks.case_runs import forget_parameters, nudge
from tasks.cases import check_entry
from tasks.liaison_filings import LiaisonFilingForm
from tasks.liaisons import file_for_department


class LiaisonIntake(LiaisonFilingForm, SignOff):
    """The start form: the filing, whose it is, and who types it in."""

    department: Annotated[Words, Field(title="部门全称", min_length=2, max_length=100)]


@flow(name="专人备案登记", persist_result=False, validate_parameters=False)
def liaison_intake(application: LiaisonIntake) -> State[None]:
    """第十三条：登记部门书面报送的专人备案。登记后自动发起一个“专人备案”，由经办人确认。

    Args:
        application: 专人备案
    """
    # Parameters arrive unvalidated, because Prefect would repeat a wrong value in the run's failure message.
    try:
        given = LiaisonIntake.model_validate(application)
    except ValidationError as error:
        forget_parameters()
        return Failed(message=in_chinese(error, LiaisonIntake))
    actor = check_entry(given.staff_no, given.code)
    filing = LiaisonFilingForm.model_validate(given.model_dump(include=set(LiaisonFilingForm.model_fields)))
    try:
        case_no = file_for_department(filing, given.department, f"intake:{flow_run.id}", actor)
    except RefusalError as why:
        forget_parameters()
        return Failed(message=str(why))
    forget_parameters(case_no=case_no)
    nudge(case_no)
    return Completed(message=f"已登记为{case_no}")
