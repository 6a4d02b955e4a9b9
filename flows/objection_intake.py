"""An objection that staff type in for somebody who came, called or wrote (Article 12)."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import ValidationError

from flows.asking import SignOff
from runtime.refusals import RefusalError, in_chinese
from tasks.case_runs import forget_parameters, nudge
from tasks.cases import check_entry
from tasks.objection_applications import ObjectionApplication
from tasks.objections import register_objection


class ObjectionIntake(ObjectionApplication, SignOff):
    """The start form: the application and who types it in."""


@flow(name="登记异议", persist_result=False, validate_parameters=False)
def objection_intake(application: ObjectionIntake) -> State[None]:
    """第十二条：代申请人登记异议。登记后自动发起一个“异议核查”，并向申请人发出回执。

    Args:
        application: 异议申请
    """
    # Parameters arrive unvalidated, because Prefect would repeat a wrong value in the run's failure message.
    try:
        given = ObjectionIntake.model_validate(application)
    except ValidationError as error:
        forget_parameters()
        return Failed(message=in_chinese(error, ObjectionIntake))
    actor = check_entry(given.staff_no, given.code)
    applied = ObjectionApplication.model_validate(given.model_dump(exclude=set(SignOff.model_fields)))
    try:
        registered = register_objection(applied, [], f"intake:{flow_run.id}", actor)
    except RefusalError as why:
        forget_parameters()
        return Failed(message=str(why))
    forget_parameters(case_no=registered.case_no)
    nudge(registered.case_no)
    return Completed(message=f"已登记为{registered.case_no}")
