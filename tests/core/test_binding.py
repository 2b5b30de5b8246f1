"""Bindings: a tag, an expression, a constant, and texts with values in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmi.core.binding import Field, parse_text, parse_value
from hmi.core.expression import ExpressionError


def test_that_a_plain_word_is_a_tag() -> None:
    assert parse_value("north.FT-401.PV").tag == "north.FT-401.PV"
    assert parse_value(" LT-101 ").tags == ("LT-101",)


def test_that_what_begins_with_an_equal_sign_is_an_expression() -> None:
    binding = parse_value("= {a} > 5 and {b}")
    assert binding.expression is not None
    assert binding.tags == ("a", "b")


@pytest.mark.parametrize("raw", [5, 2.5, True, 0])
def test_that_a_number_is_a_constant(raw: float) -> None:
    assert parse_value(raw).constant == raw
    assert parse_value(raw).tags == ()


@pytest.mark.parametrize(
    ("raw", "message", "hint"),
    [
        ("{LT-101}", "a lone tag stands without braces", "write: LT-101"),
        ({"LT-101": None}, "braces without quotes", "a lone tag needs no braces: LT-101"),
        ({"a b": 1}, "braces without quotes", "put it in quotes"),
        ("LT-101 > 5", "is not a tag name", "an expression begins with '='"),
        (None, "a value is missing", "write a tag"),
        ([1], "found a list", ""),
        ("", "is not a tag name", ""),
    ],
)
def test_that_what_is_no_value_is_refused_with_what_to_write(raw: object, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        parse_value(raw)
    assert caught.value.hint.startswith(hint)


def test_that_the_column_of_a_mistake_counts_from_the_equal_sign() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_value("=  {a} + level")
    assert caught.value.column == len("=  {a} + ")


def test_that_a_text_has_pieces_and_fields() -> None:
    text = parse_text("Level {tank.level:.2f} m of {{{total}}}")
    plain = "".join(piece for piece in text.pieces if isinstance(piece, str))
    fields = [piece for piece in text.pieces if isinstance(piece, Field)]
    assert plain == "Level  m of {}"
    assert [(field.binding.tag, field.format) for field in fields] == [("tank.level", ".2f"), ("total", "")]
    assert text.tags == ("tank.level", "total")


@pytest.mark.parametrize("raw", ["a { b", "a } b", "{a b}", "{a:zz}", "{}", {"a": None}, None, [1]])
def test_that_a_wrong_text_is_refused(raw: object) -> None:
    with pytest.raises(ExpressionError):
        parse_text(raw)


@given(st.text(max_size=60))
def test_that_a_text_with_doubled_braces_is_shown_as_it_was(plain: str) -> None:
    text = parse_text(plain.replace("{", "{{").replace("}", "}}"))
    assert "".join(piece for piece in text.pieces if isinstance(piece, str)) == plain
