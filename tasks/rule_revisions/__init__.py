"""Internal rules that stand in the way (制度修订, Article 16): listed by departments, confirmed, followed until they
are revised.
"""
