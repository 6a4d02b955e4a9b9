"""Backfilling paper certificates (信息补录, Article 11) as rules: what is read off paper, what is wrong with it, what
may enter; and by which sampling plan a batch is compared with its paper (``acceptance_sampling``).

Pure, as all of ``regulation``: the steps are ``tasks.backfill``. Random spot checks of departments, which are drawn
too, are ``regulation.spot_checks``.
"""
