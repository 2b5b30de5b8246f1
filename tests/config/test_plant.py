"""From files to a plant: plant.yaml, devices, tags and templates."""

import pytest

from hmi.core.clock import SECOND
from hmi.core.tag import DataType, Lane, Scale
from tests.config.plants import PLANT, TAGS, files, good, load, printed, with_elements


def test_that_a_plant_is_what_its_files_say() -> None:
    plant = good()
    assert plant.name == "Small"
    assert plant.zone.key == "Europe/Berlin"
    assert [device.name for device in plant.devices] == ["PLC-1", "SIM"]
    assert plant.device("PLC-1").options.host == "127.0.0.1"
    level = plant.tag("LT-1")
    assert (level.unit, level.low, level.high, level.data_type) == ("m", 0, 6, DataType.FLOAT32)
    assert [tag.index for tag in plant.tags] == list(range(5))


def test_that_a_tag_has_the_period_of_its_device_and_else_that_of_the_plant() -> None:
    plant = good()
    assert plant.tag("LT-1").period_us == SECOND // 2
    assert plant.tag("NOTE").period_us == 2 * SECOND


def test_that_the_revision_changes_with_any_file_and_only_then() -> None:
    assert good().revision == good().revision
    assert good().revision != good(tags__tags_csv=TAGS.replace("Level", "Height")).revision


def test_that_the_environment_moves_a_device_for_a_test_bench() -> None:
    plant = good({"HMI_DEVICE_PLC_1_PORT": "15021", "HMI_DEVICE_PLC_1_HOST": "10.0.0.9"})
    assert plant.device("PLC-1").options.port == 15021
    assert plant.device("PLC-1").options.host == "10.0.0.9"


def test_that_a_wrong_variable_in_the_environment_is_named() -> None:
    assert printed({"HMI_DEVICE_PLC_1_PORT": "many"}) == [
        "plant.yaml: error: environment variable HMI_DEVICE_PLC_1_PORT: port: expected a whole number, found 'many'"
    ]


def test_that_a_variable_that_overrides_nothing_is_a_warning() -> None:
    plant, problems = load({"HMI_DEVICE_PLC_1_PROT": "1", "HMI_DEVICE_SIM_PERIOD": "4s"})
    assert plant is not None
    assert plant.device("SIM").period_us == 4 * SECOND
    assert [str(p) for p in problems] == [
        (
            "plant.yaml: warning: environment variable HMI_DEVICE_PLC_1_PROT overrides nothing"
            " (hint: did you mean 'HMI_DEVICE_PLC_1_PORT'?)"
        )
    ]


def test_that_thousands_of_wrong_tags_are_told_in_time() -> None:
    """A prefix renamed in the tag files makes every screen wrong at once."""
    rows = "".join(f"U{i}.level,,,PLC-1,holding:{i * 2},float32,m,0,6,,,\n" for i in range(3000))
    values = [f"{{type: value, at: [1, 2], value: V{i}.level}}" for i in range(1500)]
    _, problems = load(tags__tags_csv=TAGS.partition("\n")[0] + "\n" + rows, screens__o_yaml=with_elements(*values))
    assert len(problems) == 1001
    assert problems[0].hint == "did you mean 'U0.level'?"
    assert "there are more than 1000 problems" in problems[-1].message


def test_that_a_spreadsheet_with_semicolons_bom_and_decimal_commas_is_read() -> None:
    text = "\ufeffname;device;address;type;low;high\nLT-1;PLC-1;holding:0;float32;0,5;6,25\n"
    plant = good(tags__tags_csv=text.removeprefix("\ufeff"))
    assert (plant.tag("LT-1").low, plant.tag("LT-1").high) == (0.5, 6.25)


def test_that_a_comma_in_a_number_of_a_comma_file_is_a_mistake() -> None:
    text = 'name,device,address,type,low,high\nLT-1,PLC-1,holding:0,float32,"0,5",6\n'
    assert printed(tags__tags_csv=text) == ["tags/tags.csv:2:low: error: expected a number, found '0,5'"]


def test_that_rows_with_a_hash_and_empty_rows_are_left_out_and_still_count() -> None:
    text = "# our tags\n\nname,device,address,low\n# old,PLC-1,holding:1,0\nLT-1,PLC-1,holding:0,x\n"
    assert printed(tags__tags_csv=text) == ["tags/tags.csv:5:low: error: expected a number, found 'x'"]


@pytest.mark.parametrize("name", ["", "a b", ".a", "a..b", "ä", "-a", "a/b"])
def test_that_a_wrong_tag_name_is_refused(name: str) -> None:
    text = f"name,device,address\n{name},PLC-1,holding:0\n"
    assert [line.partition(" (")[0] for line in printed(tags__tags_csv=text)] == [
        f"tags/tags.csv:2:name: error: '{name}' is not a tag name"
        if name
        else "tags/tags.csv:2:name: error: the name is missing"
    ]


def test_that_a_raw_range_becomes_a_scale() -> None:
    text = "name,device,address,type,low,high,raw_low,raw_high\nTT-1,PLC-1,holding:0,int16,-20,80,0,27648\n"
    tag = good(tags__tags_csv=text).tag("TT-1")
    assert tag.scale is not None
    assert tag.scale.factor * 27648 + tag.scale.offset == pytest.approx(80)
    assert tag.scale.factor * 0 + tag.scale.offset == -20
    assert tag.lane is Lane.FLOAT


def test_that_two_ways_to_scale_exclude_each_other() -> None:
    text = "name,device,address,type,low,high,raw_low,raw_high,scale\nTT-1,PLC-1,holding:0,int16,0,1,0,9,2\n"
    assert printed(tags__tags_csv=text) == [
        (
            "tags/tags.csv:2:raw_low: error: raw_low/raw_high and scale/offset are two ways to say the same"
            " (hint: keep one of them)"
        )
    ]


def test_that_a_writable_number_without_range_is_a_warning_only() -> None:
    plant, problems = load(tags__tags_csv="name,device,address,type,write\nSP-1,PLC-1,holding:0,float32,yes\n")
    assert plant is not None
    assert [str(p).partition(" (")[0] for p in problems] == [
        "tags/tags.csv:2:write: warning: any number may be written to 'SP-1'"
    ]


def test_that_a_template_makes_the_tags_of_each_pump() -> None:
    text = """version: 1
templates:
  pump:
    params: {base: number, label: text}
    tags:
      state: {address: "holding:$base", type: uint16, states: "0=standby|1=running", description: "$label state"}
      speed: {address: "holding:${base}+1", type: uint16, scale: 0.01, unit: "%", low: 0, high: 100}
instances:
  P-201: {use: pump, device: PLC-1, base: 200, label: Pump 1}
  P-202: {use: pump, device: PLC-1, base: 210, label: Pump 2}
"""
    plant = good(tags__pumps_yaml=text)
    assert plant.tag("P-202.state").description == "Pump 2 state"
    assert plant.tag("P-202.speed").address == "holding:210+1"
    assert plant.tag("P-202.speed").scale == Scale(0.01, 0.0)
    assert plant.tag("P-202.state").states == {0: "standby", 1: "running"}


def test_that_a_derived_tag_needs_no_device() -> None:
    plant = good(tags__derived_yaml='version: 1\ntags:\n  TWICE: {expr: "= {LT-1} * 2", unit: m}\n')
    tag = plant.tag("TWICE")
    assert (tag.device, tag.expression, tag.data_type) == (None, "{LT-1} * 2", DataType.FLOAT64)


def test_that_a_derived_tag_cannot_use_a_text() -> None:
    lines = printed(tags__derived_yaml='version: 1\ntags:\n  BAD: {expr: "= {NOTE} * 2"}\n')
    assert lines == ["tags/derived.yaml:3:19: error: 'NOTE' is a text; an expression needs numbers"]


def test_that_a_tag_cannot_take_the_history_of_one_that_still_exists() -> None:
    text = "name,device,address,was\nA,PLC-1,holding:0,B\nB,PLC-1,holding:2,\n"
    assert printed(tags__tags_csv=text) == [
        "tags/tags.csv:2:was: error: 'B' is still a tag; two tags cannot share one history"
    ]


def test_that_a_device_cannot_be_called_like_a_tag_or_collector() -> None:
    plant = PLANT + "  LT-1: {driver: simulator}\n  collector: {driver: simulator}\n"
    assert printed(plant_yaml=plant) == [
        "plant.yaml:10:3: error: no device may be called 'collector'",
        "tags/tags.csv:2:name: error: 'LT-1' is already the name of a device",
    ]


def test_that_every_mistake_of_every_file_is_told_at_once() -> None:
    lines = printed(
        plant_yaml=PLANT.replace("zone:", "zoen:"),
        tags__tags_csv=TAGS + "TT-1,,,PLC-1,holding:40,flaot32,,,,,,\n",
        alarms__alarms_yaml="version: 1\nalarms:\n  LT-2: {high: {limit: 5, priority: high}}\n",
        screens__overview_yaml=with_elements("{type: value, at: [1, 2], value: LT-3}"),
    )
    assert [line.partition(":")[0] for line in lines] == [
        "alarms/alarms.yaml",
        "plant.yaml",
        "screens/overview.yaml",
        "tags/tags.csv",
    ]


def test_that_no_plant_comes_from_no_files() -> None:
    plant, problems = load(plant_yaml=None)
    assert plant is None
    assert str(problems[0]).startswith("plant.yaml: error: the file is missing")


def test_that_files_in_wrong_places_are_told_but_do_no_harm() -> None:
    plant, problems = load(overview_yaml="version: 1\n", tags__more_yml="version: 1\n")
    assert plant is not None
    assert [str(p).partition(" (")[0] for p in problems] == [
        "overview.yaml: warning: this file is not read",
        "tags/more.yml: warning: this file is not read",
    ]


def test_that_a_plant_keeps_the_texts_it_was_made_from() -> None:
    assert good().files == files()


def test_that_a_thousand_warnings_never_hide_an_error() -> None:
    rows = "".join(f"SP-{i},PLC-1,holding:{i * 2},float32,yes\n" for i in range(1200))
    text = f"name,device,address,type,write\n{rows}LAST,NO-SUCH,holding:9000,float32,no\n"
    plant, problems = load(tags__tags_csv=text)
    assert plant is None
    assert any("unknown device 'NO-SUCH'" in str(problem) for problem in problems)


def test_that_one_mistake_in_a_tag_is_not_told_again_wherever_the_tag_is_used() -> None:
    uses = ["{type: value, at: [1, 2], value: LT-1}", '{type: text, at: [1, 2], text: "{P-9.state} {P-9.speed}"}']
    lines = printed(
        tags__tags_csv=TAGS.replace("float32,m,0,6", "float32,m,0,six"),
        tags__pumps_yaml="version: 1\ntemplates: {pump: {tags: {state: {type: bool}}}}\ninstances: {P-9: {use: pmp}}\n",
        tags__derived_yaml='version: 1\ntags: {TWICE: {expr: "= {LT-1} * 2"}}\n',
        alarms__a_yaml="version: 1\nalarms: {LT-1: {high: {limit: 5, priority: high}}}\n",
        screens__overview_yaml=with_elements(*uses),
    )
    assert [line.partition(" error: ")[0] for line in lines] == ["tags/pumps.yaml:3:24:", "tags/tags.csv:2:high:"]


def test_that_a_tag_file_that_cannot_be_read_makes_no_tag_unknown() -> None:
    lines = printed(
        tags__more_yaml="version: 1\ntags: {\n",
        screens__overview_yaml=with_elements("{type: value, at: [1, 2], value: IN.THAT.FILE}"),
    )
    assert [line.partition(":")[0] for line in lines] == ["tags/more.yaml"]
