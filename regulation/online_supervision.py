"""Online supervision (电子督查, Article 17): what a program looks for every night in the record and the registers."""

from regulation.findings import FindingRule, Severity, Source

LIAISON_MISSING = FindingRule("liaison-missing", "没有在册的电子证照专人", 13, Severity.MINOR, Source.ONLINE, True)

RULES = (LIAISON_MISSING,)
