"""Every rule by which supervision finds something, by its code."""

from regulation import online_supervision, service_guides, spot_checks, system_reviews

RULES = {
    rule.code: rule
    for rules in (online_supervision.RULES, service_guides.RULES, spot_checks.RULES, system_reviews.RULES)
    for rule in rules
}
