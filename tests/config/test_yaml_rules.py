"""YAML as editors read it (1.2, core schema), with what it must refuse."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmi.config.report import Report
from hmi.config.tree import plain, read_tree, resolve


def read(text: str) -> Any:
    report = Report()
    tree = read_tree("a.yaml", text, report)
    assert not report.errors, report.problems()
    assert tree is not None
    return plain(tree)


def refused(text: str) -> list[str]:
    report = Report()
    assert read_tree("a.yaml", text, report) is None
    return [str(problem) for problem in report.problems()]


def test_that_words_of_yaml_1_1_stay_words() -> None:
    found = read("a: on\nb: NO\nc: yes\nd: 010\ne: 12:30:00\nf: 1e3\ng: 1_000\n")
    assert found == {"a": "on", "b": "NO", "c": "yes", "d": 10, "e": "12:30:00", "f": 1000.0, "g": "1_000"}


def test_that_numbers_truth_and_nothing_are_read_by_the_core_schema() -> None:
    found = read('a: true\nb: False\nc: ~\nd:\ne: null\nf: 0x1F\ng: 0o17\nh: -2.5\ni: .5\nj: "5"\nk: -.inf\nl: +7\n')
    assert found == {
        "a": True, "b": False, "c": None, "d": None, "e": None, "f": 31, "g": 15, "h": -2.5, "i": 0.5, "j": "5",
        "k": float("-inf"), "l": 7,
    }  # fmt: skip


def test_that_keys_are_never_numbers_or_truth_values() -> None:
    assert read("on: 1\n1: 2\ntrue: 3\n") == {"on": 1, "1": 2, "true": 3}


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_that_a_number_written_is_the_number_read(number: float) -> None:
    assert resolve(repr(number)) == number


def test_that_an_anchor_may_be_used_again() -> None:
    assert read("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_that_a_key_given_twice_is_refused_at_the_second() -> None:
    assert refused("a: 1\nb: 2\na: 3\n") == ["a.yaml:3:1: error: key 'a' given twice (hint: the first is in line 1)"]


def test_that_a_part_that_contains_itself_is_refused() -> None:
    assert refused("a: &x [*x]\n") == ["a.yaml:1:4: error: this part contains itself by an alias"]


def test_that_aliases_cannot_blow_up_a_file() -> None:
    lines = ["a0: &a0 [" + ", ".join(["lol"] * 20) + "]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 20) + "]" for i in range(1, 12)]
    assert refused("\n".join(lines))[-1].endswith("error: aliases make this file too large")


@pytest.mark.parametrize("text", ["a: " + "[" * 5000, "- " * 5000 + "a", "a: " + "{b: " * 500 + "1" + "}" * 500])
def test_that_absurd_nesting_is_refused(text: str) -> None:
    assert len(refused(text)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "a.yaml: error: the file is empty"),
        ("- a\n", "a.yaml:1:1: error: the file must be a list of 'key: value' lines"),
        ("a: 'x\n", "a.yaml:2:1: error: the closing quote is missing"),
        ("a: @x\n", "a.yaml:1:4: error: a value cannot begin with '@' (hint: put it in quotes)"),
        ("a: [1, 2\nb: 3\n", "a.yaml:2:2: error: a comma or ']' is missing before this"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1: error: a second document begins here (hint: remove the line '---')"),
        ("a: *b\n", "a.yaml:1:4: error: '*' refers to a name that is not defined above with '&'"),
        ("a: !!python/object:os.system x\n", "a.yaml:1:4: error: '!!python/object:os.system': types with '!'"),
        ("a: x\x00y\n", "a.yaml:1:1: error: character number 0 may not stand in a file"),
    ],
)
def test_that_what_is_no_yaml_is_told_in_plain_words(text: str, line: str) -> None:
    found = refused(text)
    assert len(found) == 1
    assert found[0].startswith(line)
