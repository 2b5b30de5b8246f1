"""Screens: elements, groups, faceplates and parts with their parameters."""

import pytest

from hmi.core.screen import Group, Pump, Screen, TextElement, ValueElement
from tests.config.plants import SCREEN, good, load, printed, with_elements

FACEPLATE = """version: 1
screen: {title: "Pump $pump", level: 3, params: {pump: {type: prefix}, gap: {type: number, default: 4}}}
elements:
  - {type: value, at: [$gap, 60], value: $pump.state}
  - {type: text, at: [0, 90], text: "${pump}: {$pump.state} costs $$5"}
"""
PART = """version: 1
screen: {title: Row, params: {pump: {type: prefix}, label: {type: text, default: ""}}}
elements:
  - {type: pump, at: [10, 20], state: "= {$pump.state} == 1"}
  - {type: text, at: [50, 20], text: $label}
"""


def opened(name: str, parameters: dict[str, object] | None = None, **files: str) -> Screen:
    plant, _ = load(**files)
    assert plant is not None
    screen, problems = plant.open_screen(name, parameters)
    assert not problems, "\n".join(map(str, problems))
    return screen


def test_that_a_faceplate_is_filled_with_the_tags_of_its_pump() -> None:
    screen = opened("faceplates/pump", {"pump": "P-1"}, screens__faceplates__pump_yaml=FACEPLATE)
    value, text = screen.elements
    assert isinstance(value, ValueElement)
    assert isinstance(text, TextElement)
    assert value.value.tag == "P-1.state"
    assert value.at == (4, 60)
    assert text.text.source == "P-1: {P-1.state} costs $5"
    assert screen.head.title.source == "Pump P-1"


def test_that_a_part_is_drawn_inside_its_group() -> None:
    files = {
        "screens__parts__row_yaml": PART,
        "screens__overview_yaml": with_elements(
            "{type: group, at: [0, 100], use: row, with: {pump: P-1, label: First}}",
            "{type: group, at: [0, 200], elements: [{type: group, use: row, with: {pump: P-2}}]}",
        ),
    }
    good(**files)
    _, first, second = opened("overview", **files).elements
    assert isinstance(first, Group)
    pump, label = first.elements
    assert isinstance(pump, Pump)
    assert pump.state is not None
    assert pump.state.tags == ("P-1.state",)
    assert isinstance(label, TextElement)
    assert label.text.source == "First"
    assert isinstance(second, Group)
    inner = second.elements[0]
    assert isinstance(inner, Group)
    assert inner.use is None
    assert len(inner.elements) == 2


def test_that_heads_name_screens_and_faceplates_but_not_parts() -> None:
    plant = good(screens__faceplates__pump_yaml=FACEPLATE, screens__parts__row_yaml=PART)
    assert sorted(plant.screens) == ["faceplates/pump", "overview"]


def test_that_an_unknown_screen_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        good().open_screen("nowhere")


def test_that_a_screen_opened_without_its_parameter_says_so_on_the_screen() -> None:
    plant = good(screens__faceplates__pump_yaml=FACEPLATE)
    screen, problems = plant.open_screen("faceplates/pump")
    assert [element.type for element in screen.elements] == ["placeholder"]  # type: ignore[union-attr]
    assert "parameter 'pump' of faceplate 'pump' is missing" in str(problems[0])


def test_that_a_file_that_cannot_be_read_is_a_screen_with_a_placeholder() -> None:
    plant, problems = load(screens__overview_yaml="version: 1\nscreen: {title: [\n")
    assert plant is not None
    screen, found = plant.open_screen("overview")
    assert [element.type for element in screen.elements] == ["placeholder"]  # type: ignore[union-attr]
    assert [str(p) for p in found] == [str(p) for p in problems]


def test_that_a_placeholder_stands_where_the_element_would() -> None:
    plant, _ = load(screens__overview_yaml=with_elements("{type: pipe, points: [[70, 80], [90, 80]], flow: NO.SUCH}"))
    assert plant is not None
    placeholder = plant.open_screen("overview")[0].elements[1]
    assert placeholder.type == "placeholder"  # type: ignore[union-attr]
    assert placeholder.at == (70, 80)  # type: ignore[union-attr]
    assert placeholder.message == "screens/overview.yaml:5:54: unknown tag 'NO.SUCH'"  # type: ignore[union-attr]


def test_that_a_wrong_element_in_a_group_leaves_the_rest_of_the_group() -> None:
    group = "{type: group, elements: [{type: text, at: [1, 2], text: A}, {type: valv, at: [1, 2]}]}"
    plant, problems = load(screens__overview_yaml=with_elements(group))
    assert plant is not None
    assert len(problems) == 1
    found = plant.open_screen("overview")[0].elements[1]
    assert isinstance(found, Group)
    assert [element.type for element in found.elements] == ["text", "placeholder"]  # type: ignore[union-attr]


def test_that_a_faceplate_that_nobody_opens_is_checked_all_the_same() -> None:
    text = FACEPLATE.replace("type: value", "type: vlaue")
    assert printed(screens__faceplates__pump_yaml=text) == [
        "screens/faceplates/pump.yaml:4:12: error: unknown element 'vlaue' (hint: did you mean 'value'?)"
    ]


def test_that_a_fixed_tag_in_a_part_is_told_once_however_often_it_is_used() -> None:
    text = PART + "  - {type: value, at: [1, 2], value: NO.SUCH}\n"
    uses = ["{type: group, use: row, with: {pump: P-1}}", "{type: group, use: row, with: {pump: P-2}}"]
    lines = printed(screens__parts__row_yaml=text, screens__overview_yaml=with_elements(*uses))
    assert [line.partition(" (")[0] for line in lines] == ["screens/parts/row.yaml:6:38: error: unknown tag 'NO.SUCH'"]


def test_that_a_number_given_as_text_is_told_where_it_is_given() -> None:
    click = "{type: text, at: [1, 2], text: A, open: {faceplate: pump, with: {pump: P-1, gap: wide}}}"
    lines = printed(screens__faceplates__pump_yaml=FACEPLATE, screens__overview_yaml=with_elements(click))
    assert lines == ["screens/overview.yaml:5:86: error: gap: expected a number, found 'wide'"]


def test_that_faceplates_which_open_each_other_come_to_an_end() -> None:
    there = FACEPLATE + "  - {type: text, at: [1, 2], text: A, open: {faceplate: back, with: {pump: $pump}}}\n"
    back = FACEPLATE + "  - {type: text, at: [1, 2], text: A, open: {faceplate: pump, with: {pump: $pump}}}\n"
    click = "{type: text, at: [1, 2], text: A, open: {faceplate: pump, with: {pump: P-1}}}"
    good(
        screens__faceplates__pump_yaml=there,
        screens__faceplates__back_yaml=back,
        screens__overview_yaml=with_elements(click),
    )


def test_that_parts_which_contain_each_other_are_told() -> None:
    one = SCREEN + "  - {type: group, use: two}\n"
    two = SCREEN + "  - {type: group, use: one}\n"
    overview = with_elements("{type: group, use: one}")
    files = {"screens__parts__one_yaml": one, "screens__parts__two_yaml": two, "screens__overview_yaml": overview}
    lines = printed(**files)
    assert lines == ["screens/parts/two.yaml:5:24: error: part 'one' contains itself"]
    plant, _ = load(**files)
    assert plant is not None
    plant.open_screen("overview")


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ("{type: horizon, at: [0, 0], size: [9, 9], columns: [[LT-1, ¦LT-2]]}", "unknown tag 'LT-2'"),
        ("{type: horizon, at: [0, 0], size: [9, 9], columns: [[LT-1, ¦NOTE]]}", "'NOTE' is a text"),
        (
            "{type: horizon, at: [0, 0], size: [9, 9], columns: [[LT-1]], names: {LT-2: ¦x}}",
            "'LT-2' is not among the columns",
        ),
        ("{type: trend, at: [0, 0], size: [9, 9], pens: ¦[]}", "pens: needs at least 1 entry"),
        ("{type: trend, at: [0, 0], size: [9, 9], pens: [LT-1], span: ¦1x}", "span: '1x' is not a duration"),
        ("{type: pipe, points: [[0, 0], ¦[1]]}", "points: an entry is missing in this list"),
        ("{type: pipe, points: ¦[[0, 0]]}", "points: needs at least 2 entries"),
        ("{type: text, at: [0, 0], text: A, style: ¦huge}", "style: 'huge' is not one of caption"),
        ("{type: text, at: [0, 0], text: A, open: ¦{}}", "open: expected one of screen, faceplate, tag"),
        ("{type: text, at: [0, 0], text: A, open: {tag: ¦LT-2}}", "unknown tag 'LT-2'"),
        (
            "{type: text, at: [0, 0], text: A, open: {tag: LT-1, ¦wiht: {}}}",
            "unknown key 'wiht' (hint: did you mean 'with'?)",
        ),
        ("{type: text, at: [0, 0], text: A, alarms: [¦PLC-2]}", "unknown tag 'PLC-2'"),
        ("{type: text, at: [0, 0], text: A, visible: '= {LT-1} ¦>'}", "visible: the expression ends too early"),
        ("{type: text, at: [0, 0], text: A, visible: '= {LT-1} > ¦level'}", "visible: unknown word 'level'"),
        ("{type: text, at: [0, 0], text: A, visible: '= {¦NOTE} > 1'}", "'NOTE' is a text; a number is needed here"),
        ("{type: text, at: [0, 0], text: 'A ¦} B'}", "text: a brace without its counterpart"),
        ("{type: text, at: [0, 0], text: '{LT-1:¦xx}'}", "text: 'xx' is not a number format"),
        ("{type: text, at: [0, 0], text: '{LT-1} and {¦LT-3}'}", "unknown tag 'LT-3'"),
        ("¦{type: group}", "a group needs 'elements' or 'use'"),
        ("{type: ¦placeholder, message: x}", "unknown element 'placeholder'"),
        ("¦text", "expected an element"),
        ("¦{at: [0, 0]}", "'type' is missing"),
    ],
)
def test_that_each_mistake_in_an_element_has_its_place_and_words(element: str, message: str) -> None:
    """The mark ¦ stands before the place that is told."""
    lines = printed(screens__overview_yaml=with_elements(element.replace("¦", "")))
    assert len(lines) == 1, lines
    column = len("  - ") + element.index("¦") + 1
    assert lines[0].startswith(f"screens/overview.yaml:5:{column}: error: {message}")


def test_that_a_device_may_mark_an_element_with_its_alarms() -> None:
    good(screens__overview_yaml=with_elements("{type: text, at: [0, 0], text: A, alarms: [PLC-1, LT-1]}"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<svg><path></svg>", "symbols/own.svg:1:14: error: this is no valid SVG"),
        ("<html/>", "symbols/own.svg:1:8: error: an SVG begins with <svg>, not with <html>"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "symbols/own.svg:1:27: error: an SVG with entities"),
        ("", "symbols/own.svg:1:1: error: this is no valid SVG"),
    ],
)
def test_that_a_symbol_that_cannot_be_drawn_is_told(text: str, line: str) -> None:
    lines = printed(symbols__own_svg=text)
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_that_a_broken_faceplate_is_told_once_and_not_by_those_who_open_it() -> None:
    clicks = ["{type: text, at: [1, 2], text: A, open: {faceplate: pump, with: {pump: P-1}}}"] * 2
    uses = ["{type: group, use: row, with: {pump: P-1}}"]
    lines = printed(
        screens__faceplates__pump_yaml=FACEPLATE.replace("level: 3", "levle: 3"),
        screens__parts__row_yaml="version: 1\nscreen: {title: [\n",
        screens__overview_yaml=with_elements(*clicks, *uses),
    )
    assert [line.partition(":")[0] for line in lines] == ["screens/faceplates/pump.yaml", "screens/parts/row.yaml"]
