"""Random spot checks (双随机, Article 17): the registers drawn from, the draw and its proof, checklists, results,
publication.

The arithmetic of the draw is ``regulation.spot_check_draws``; what a result leads to is ``tasks.rectifications``.
"""
