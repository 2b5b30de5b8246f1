"""Whatever stands in the files: problems, never a crash, and every place exists."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.config import load_plant, read_files
from hmi.core.problem import Severity
from hmi.core.resources import Shipped, shipped
from hmi.drivers import DRIVERS

STARTER = read_files(shipped(Shipped.SCREENS) / "starter")
STARTER["screens/parts/row.yaml"] = """version: 1
screen: {title: Row, params: {pump: {type: prefix}, gap: {type: number, default: 4}, part: {type: text, default: end}}}
elements:
  - {type: value, at: [$gap, 20], value: "= {$pump.speed} * $gap"}
  - {type: group, at: [0, 40], use: $part, with: {tag: $pump.speed}}
"""
STARTER["screens/parts/end.yaml"] = """version: 1
screen: {title: End, params: {tag: {type: tag}}}
elements: [{type: value, at: [0, 0], value: $tag, open: {faceplate: pump, with: {pump: P-1}}}]
"""
STARTER["screens/rows.yaml"] = """version: 1
screen: {title: Rows, parent: overview}
elements:
  - {type: group, elements: [{type: group, use: row, with: {pump: P-1}}, {type: group, use: row, with: {pump: V-1}}]}
  - {type: symbol, at: [0, 0], symbol: own}
"""
STARTER["symbols/own.svg"] = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path d="M0 0"/></svg>\n'
STARTER["tags/pumps.yaml"] = """version: 1
templates: {pump: {params: {base: number}, tags: {run: {address: "memory", type: bool, low: $base}}}}
instances: {P-7: {use: pump, device: SIM-1, base: 7}}
tags: {TWICE: {expr: "= {LT-1} * 2"}}
"""
SCRAPS = ["{", "}", "[", "]", ":", ": ", "\n", "  ", "- ", '"', "'", "$", "$x", "=", ",", ";", "#", "*a", "&a ", "\t"]
SCRAPS += ["null", "-1", "1e999", "NaN", "ä", "\x00", "true", "{}", "[]", "type", "use", "with", "!!int ", "|", ">"]


@given(
    name=st.sampled_from(sorted(STARTER)),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(SCRAPS) | st.text(max_size=4)),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=80, deadline=None)
def test_that_a_damaged_file_gives_problems_and_never_a_crash(name: str, cuts: list[tuple[float, int, str]]) -> None:
    text = STARTER[name]
    for where, length, scrap in cuts:
        at = int(where * len(text))
        text = text[:at] + scrap + text[at + length :]
    files = {**STARTER, name: text}
    plant, problems = load_plant(files, DRIVERS, {})
    for problem in problems:
        assert problem.place.file in files
        assert 0 <= problem.place.line <= files[problem.place.file].count("\n") + text.count("\r") + 2
    if plant is None:
        assert any(problem.severity is Severity.ERROR for problem in problems)
        return
    for screen, head in plant.screens.items():
        plant.open_screen(screen, dict.fromkeys(head.params, "P-1"))


@given(text=st.text(max_size=200))
@settings(max_examples=40, deadline=None)
def test_that_any_text_at_all_is_refused_in_order(text: str) -> None:
    for name in ("plant.yaml", "tags/tags.csv", "screens/overview.yaml", "alarms/alarms.yaml"):
        load_plant({**STARTER, name: text}, DRIVERS, {})
