"""The expression language: what it computes, what it refuses, and that nothing else gets through."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmi.core.expression import FUNCTIONS, ExpressionError, compile_expression

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def value(source: str, **tags: float) -> float:
    expression = compile_expression(source)
    return expression.evaluate([tags[name] for name in expression.tags])


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("1 + 2 * 3", 7),
        ("{a} > 5 and not {b}", 1),
        ("{a} if {b} else 0", 0),
        ("min({a}, 3, {b}) + max(1, 2)", 2),
        ("clamp({a}, 0, 5)", 5),
        ("bit({a}, 1)", 1),
        ("round({a} / 3, 2)", 2),
        ("true and {a} == 6", 1),
        ("7 // 2 + 7 % 2", 4),
        ("0 < {a} < 10", 1),
        ("sqrt(16) + abs(-1) + floor(1.9) + ceil(1.1) + log10(100) + exp(0)", 4 + 1 + 1 + 2 + 2 + 1),
    ],
)
def test_that_an_expression_computes_what_it_says(source: str, result: float) -> None:
    assert value(source, a=6.0, b=0.0) == result


@pytest.mark.parametrize("source", ["{a} / {b}", "{a} % {b}", "sqrt(-1)", "log10(0)", "1e308 * 10", "bit(1, -1)"])
def test_that_what_has_no_result_is_not_a_number(source: str) -> None:
    assert math.isnan(value(source, a=6.0, b=0.0))


def test_that_a_tag_without_a_value_makes_the_whole_without_a_value() -> None:
    assert math.isnan(value("{a} if true else 0", a=math.nan))


def test_that_a_tag_used_twice_is_asked_once() -> None:
    assert compile_expression("{a.b} + {c-1} + { a.b }").tags == ("a.b", "c-1")


def test_that_an_expression_may_be_folded_over_lines() -> None:
    assert value("\n {a}\n  + 1\n", a=2.0) == 3


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("{a} > 5 && {b} > 1", "this is not an expression", 9),
        ("{a} >", "the expression ends too early", 4),
        ("  {a} + level", "unknown word 'level'", 8),
        ("{a} + t0", "unknown word 't0'", 6),
        ("{a b}", "'a b' is not a tag name", 0),
        ("{a} + {b", "'{' without its counterpart", 6),
        ("{a}.real", "a dot between words is not part of the expression language", 0),
        ("2 ** 9", "'**' is not part of the expression language", None),
        ("'x' * 9", "only numbers, true and false may stand here", 0),
        ("[1, 2]", "a list is not part", 0),
        ("lambda: 1", "'lambda' is not part", 0),
        ("(x := 1)", "':=' is not part", 1),
        ("{a} is 1", "'is' is not part of the expression language", None),
        ("sqrt", "the function 'sqrt' needs its values in parentheses", 0),
        ("sqrt()", "the function 'sqrt' takes 1 value, separated", 0),
        ("min(1)", "the function 'min' takes 2 to 50 values", 0),
        ("round(x=1)", "the function 'round' takes 1 to 2 values", 0),
        ("eval(1)", "unknown function 'eval'", 0),
        ("sqrt(1)(2)", "unknown function", 0),
        ("{a} × 2", "'×' is not part of the expression language", 4),
        ("", "an expression is missing", 0),
        ("(" * 500 + "1" + ")" * 500, "", None),
        ("1" * 2001, "an expression may have 2000 characters at most", 0),
        ("1j", "only numbers", 0),
        ("None", "only numbers", 0),
    ],
)
def test_that_what_is_no_expression_is_refused_at_its_column(source: str, message: str, column: int | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert message in str(caught.value)
    if column is not None:
        assert caught.value.column == column


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [*FUNCTIONS, "{a}", "(", ")", ",", "+", "-", "*", "/", "<", "and", "not", "if", "else", "1", "0.5", " "]
        ),
        max_size=14,
    ).map("".join)
)
def test_that_any_text_is_compiled_or_refused_and_evaluates_to_a_number(source: str) -> None:
    column = 0
    try:
        expression = compile_expression(source)
    except ExpressionError as error:
        expression, column = compile_expression("1"), error.column
    assert 0 <= column <= max(len(source), 1)
    result = expression.evaluate([2.0] * len(expression.tags))
    assert isinstance(result, float)
    assert not math.isinf(result)


@given(a=NUMBERS, b=NUMBERS)
def test_that_arithmetic_is_that_of_the_computer(a: float, b: float) -> None:
    assert value("({a} + {b}) * 2 - {a}", a=a, b=b) == (a + b) * 2 - a
    assert value("{a} < {b}", a=a, b=b) == float(a < b)
    assert value("max({a}, {b}) - min({a}, {b})", a=a, b=b) == max(a, b) - min(a, b)
