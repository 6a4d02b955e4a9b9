"""Service guides (办事指南) and service items, and the laws that still demand paper (Articles 7 to 11).

They come in as tables or JSON, are kept by version and compared with catalogue and use list. What a difference
leads to is ``tasks.supervision``.
"""
