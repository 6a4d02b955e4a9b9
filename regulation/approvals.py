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


def may_approve(entitled: bool, stands_for: Collection[str], involved: Collection[str]) -> bool:
    """Whether an officer who is ``entitled`` to approve may approve a draft: neither they nor anybody for whom they act
    today (``stands_for``, staff numbers, themselves among them) drafted it or entered what it rests on (``involved``).

    >>> may_approve(True, {"KQ004"}, {"KQ001"}), may_approve(True, {"KQ004"}, {"KQ004"})
    (True, False)
    >>> may_approve(True, {"KQ002", "KQ001"}, {"KQ001"}), may_approve(False, {"KQ002"}, {"KQ001"})
    (False, False)
    """
    return entitled and not set(stands_for) & set(involved)
