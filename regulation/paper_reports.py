"""Citizens' reports (群众反映) that a counter demanded paper (Articles 8, 10, 11): the stages of a report.

第八条：电子证照使用部门对可以通过区电子证照系统获得的电子证照不再要求电子证照持证主体提供纸质证照。
"""

from enum import StrEnum

from regulation.stages import Stages


class Stage(StrEnum):
    """Where a report stands. The values are what people read."""

    RECEIVED = "待核实"
    CONFIRMED = "已属实"
    NOT_CONFIRMED = "未属实"


class Verdict(StrEnum):
    """What staff say of a report."""

    CONFIRM = "属实"
    REJECT = "不属实"


STAGE_AFTER = {Verdict.CONFIRM: Stage.CONFIRMED, Verdict.REJECT: Stage.NOT_CONFIRMED}


STAGES = Stages("群众反映", {Stage.RECEIVED: {Stage.CONFIRMED, Stage.NOT_CONFIRMED}})
"""A report is decided once."""
