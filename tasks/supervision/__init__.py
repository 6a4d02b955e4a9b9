"""Daily supervision (Article 17): online supervision by night, mystery applications, visits, citizens' reports,
and the reports on all.

What they find becomes a rectification in ``tasks.rectifications``; random spot checks have a room of their own.
"""
