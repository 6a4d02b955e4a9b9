"""docs/articles.md says of each of the 19 articles what carries it out; here it is held to the code."""

from importlib import import_module
from pathlib import Path

import pytest

from regulation.articles import ARTICLES, Article, Standing, table

ROOT = Path(__file__).parents[2]


def test_there_are_nineteen_articles_in_order() -> None:
    assert [article.number for article in ARTICLES] == list(range(1, 20))
    assert all(article.text for article in ARTICLES)


@pytest.mark.parametrize("article", ARTICLES, ids=lambda article: f"article-{article.number}")
def test_what_carries_an_article_out_exists(article: Article) -> None:
    for place in article.carried_out_by:
        module, _, path = place.partition(":")
        found = import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    assert bool(article.carried_out_by) == (article.standing in {Standing.BUILT, Standing.PARTLY})


def test_the_table_for_people_is_the_table_of_the_code() -> None:
    text = (ROOT / "docs" / "articles.md").read_text(encoding="utf-8")
    assert text.endswith(table())
