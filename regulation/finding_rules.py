"""Every rule by which supervision finds something, by its code."""

from regulation import online_supervision

RULES = {rule.code: rule for rules in (online_supervision.RULES,) for rule in rules}
