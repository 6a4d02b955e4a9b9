"""A rule that stands in the way, listed on paper (Article 16)."""

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
from tasks.rule_revision_listings import RuleRevisionForm
from tasks.rule_revisions import list_rule


class RuleRevisionIntake(RuleRevisionForm, SignOff):
    """The start form: the rule, whose it is, and who types it in."""

    department: Annotated[Words, Field(title="部门全称", min_length=2, max_length=100)]


@flow(name="制度修订登记", persist_result=False, validate_parameters=False)
def rule_revision_intake(application: RuleRevisionIntake) -> State[None]:
    """第十六条：登记部门书面报送的制度障碍。登记后自动发起一个“制度修订”，由经办人确认。

    Args:
        application: 制度修订
    """
    # Parameters arrive unvalidated, because Prefect would repeat a wrong value in the run's failure message.
    try:
        given = RuleRevisionIntake.model_validate(application)
    except ValidationError as error:
        forget_parameters()
        return Failed(message=in_chinese(error, RuleRevisionIntake))
    actor = check_entry(given.staff_no, given.code)
    listing = RuleRevisionForm.model_validate(given.model_dump(include=set(RuleRevisionForm.model_fields)))
    try:
        case_no = list_rule(listing, given.department, f"intake:{flow_run.id}", actor)
    except RefusalError as why:
        forget_parameters()
        return Failed(message=str(why))
    forget_parameters(case_no=case_no)
    nudge(case_no)
    return Completed(message=f"已登记为{case_no}")
