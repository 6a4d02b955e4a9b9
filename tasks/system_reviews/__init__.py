"""The review of new systems (新建系统评审, Article 17): the gate, the plan, the review, and what went live beside what
was promised.
"""
