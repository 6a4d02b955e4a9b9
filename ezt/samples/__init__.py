"""Invented data for trying things out: departments, catalogue, holders, cases, guides, and every notice as its
reader sees it.
"""
