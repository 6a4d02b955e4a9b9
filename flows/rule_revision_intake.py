"""A rule that stands in the way, listed on paper (Article 16)."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.asking import SignOff
from flows.registration import part_of, register
from tasks.departments import DepartmentText
from tasks.rule_revision_listings import RuleRevisionForm
from tasks.rule_revisions import list_rule


class RuleRevisionIntake(RuleRevisionForm, SignOff):
    """The start form: the rule, whose it is, and who types it in."""

    department: DepartmentText


@flow(name="制度修订登记", persist_result=False, validate_parameters=False)
def rule_revision_intake(application: RuleRevisionIntake) -> State[None]:
    """第十六条：登记部门书面报送的制度障碍。登记后自动发起一个“制度修订”，由经办人确认。

    Args:
        application: 制度修订
    """
    return register(
        application,
        RuleRevisionIntake,
        lambda given, key, actor: list_rule(part_of(given, RuleRevisionForm), given.department, key, actor),
    )
