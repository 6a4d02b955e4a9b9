"""The second pair of eyes (审签): what ends an objection is drafted by one officer and approved by another.

Article 12 gives the decision to the Center and does not say how it is made; Article 14 wants every step traceable to
whoever took it. That one person alone changes no certificate and turns nobody away is the Center's own rule.
"""

from collections.abc import Collection
from enum import StrEnum


class Opinion(StrEnum):
    """What whoever approves says of a draft."""

    AGREED = "同意"
    RETURNED = "退回重拟"


def may_approve(staff_no: str, entitled_by: Collection[str], involved: Collection[str]) -> bool:
    """Whether an officer may approve a draft: they act for somebody who approves (``entitled_by``, staff numbers, their
    own if they approve themselves), and neither of the two drafted it or entered what it rests on (``involved``). Who
    stands in for the drafter is no second pair of eyes, and the drafter is none for whomever they stand in for.

    >>> may_approve("KQ004", {"KQ004"}, {"KQ001"}), may_approve("KQ004", {"KQ004"}, {"KQ004"})
    (True, False)
    >>> may_approve("KQ002", {"KQ004"}, {"KQ004"}), may_approve("KQ002", {"KQ004", "KQ002"}, {"KQ004"})
    (False, True)
    """
    return staff_no not in involved and not set(entitled_by) <= set(involved)
