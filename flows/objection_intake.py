"""An objection that staff type in for somebody who came, called or wrote (Article 12)."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.asking import SignOff
from flows.registration import part_of, register
from tasks.objection_applications import ObjectionApplication
from tasks.objection_registrations import register_objection


class ObjectionIntake(ObjectionApplication, SignOff):
    """The start form: the application and who types it in."""


@flow(name="登记异议", persist_result=False, validate_parameters=False)
def objection_intake(application: ObjectionIntake) -> State[None]:
    """第十二条：代申请人登记异议。登记后自动发起一个“异议核查”，并向申请人发出回执。

    Args:
        application: 异议申请
    """
    return register(
        application,
        ObjectionIntake,
        lambda given, key, actor: register_objection(part_of(given, ObjectionApplication), [], key, actor).case_no,
    )
