"""Backfilling paper certificates (信息补录, Article 11) as rules: what is read off paper, what is wrong with it, what
may enter.

Pure, as all of ``regulation``: the steps are ``tasks.backfill``.
"""
