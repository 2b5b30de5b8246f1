"""Hints that name the nearest of many names."""

from hypothesis import given
from hypothesis import strategies as st

from hmi.core.problem import Spelling, did_you_mean

MANY = [f"zone{i // 100}.FT-{i}.PV" for i in range(5000)]


def test_that_the_nearest_name_is_found_among_thousands() -> None:
    spelling = Spelling(MANY)
    assert spelling.hint("zone7.FT-7O1.PV") == "did you mean 'zone7.FT-701.PV'?"
    assert spelling.hint("zona7.FT-701.PV") == "did you mean 'zone7.FT-701.PV'?"
    assert spelling.hint("ZONE7.ft-701.pv") == "did you mean 'zone7.FT-701.PV'?"


def test_that_nothing_is_hinted_where_nothing_comes_near() -> None:
    assert did_you_mean("turbine", ["pump", "valve"]) == ""
    assert did_you_mean("x", []) == ""
    assert Spelling(MANY).hint("completely different") == ""


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=12), max_size=80))
def test_that_a_hint_names_one_of_the_names(word: str, names: list[str]) -> None:
    hint = did_you_mean(word, names)
    assert not hint or hint.removeprefix("did you mean '").removesuffix("'?") in names
