"""The use list (用证清单, Article 9): what stands on it by day, what departments propose, its review, and its upkeep.

What is proposed stands in ``proposals``. Whether a call is within the list is decided in
``regulation.certificate_use`` and carried out in ``tasks.certificates``.
"""
