"""Alarms: limits, states, lists of tags and the loss of devices."""

from hmi.core.alarm import AlarmKind, Priority
from hmi.core.clock import MINUTE, SECOND
from tests.config.plants import good, printed


def alarms(text: str) -> str:
    return "version: 1\n" + text


def test_that_a_limit_is_read_with_everything_that_helps_the_operator() -> None:
    plant = good(
        alarms__a_yaml=alarms(
            "alarms:\n  LT-1:\n    high: {limit: 4.5, priority: high, deadband: 0.05, delay: 2s, off_delay: 1s,"
            ' text: "Level high", cause: Rain, consequence: Flood, action: [Close, Call], respond: 10min,'
            " screen: overview}\n"
        )
    )
    rule = plant.rule["LT-1/high"]
    assert (rule.limit, rule.deadband, rule.on_delay_us, rule.off_delay_us) == (4.5, 0.05, 2 * SECOND, SECOND)
    assert (rule.priority, rule.text, rule.respond_us) == (Priority.HIGH, "Level high", 10 * MINUTE)
    assert (rule.action, rule.screen, rule.area) == (("Close", "Call"), "overview", "Intake")
    assert plant.tags[rule.tag].name == "LT-1"
    assert plant.limit("LT-1", AlarmKind.HIGH) == 4.5


def test_that_an_alarm_without_text_is_called_after_its_tag() -> None:
    plant = good(alarms__a_yaml=alarms("alarms:\n  LT-1: {low_low: {limit: 1, priority: urgent}}\n"))
    assert plant.rule["LT-1/low_low"].text == "Level: very low"


def test_that_states_may_be_named_by_number_or_by_word() -> None:
    plant = good(alarms__a_yaml=alarms("alarms:\n  P-1.state: {state: {equals: [0, tripped], priority: low}}\n"))
    assert plant.rule["P-1.state/state"].equals == (0, 2)


def test_that_a_state_that_the_tag_does_not_have_is_told() -> None:
    assert printed(alarms__a_yaml=alarms("alarms:\n  P-1.state: {state: {equals: [tript], priority: low}}\n")) == [
        (
            "alarms/a.yaml:3:31: error: 'tript' is no state of 'P-1.state' (0=standby|1=running|2=tripped) "
            "(hint: did you mean 'tripped'?)"
        )
    ]


def test_that_one_alarm_serves_many_tags() -> None:
    rule = '{state: {equals: 2, priority: high, text: "$item out"}}'
    text = f'each:\n  - for: [P-1, P-2]\n    alarms: {{"$item.state": {rule}}}\n'
    plant = good(alarms__a_yaml=alarms(text))
    assert plant.rule["P-1.state/state"].text == "P-1 out"
    assert plant.rule["P-2.state/state"].text == "P-2 out"


def test_that_a_wrong_name_in_the_list_is_told_in_the_list() -> None:
    text = 'each:\n  - for: [P-1, P-3]\n    alarms: {"$item.state": {state: {equals: 2, priority: high}}}\n'
    assert printed(alarms__a_yaml=alarms(text)) == [
        "alarms/a.yaml:3:16: error: unknown tag 'P-3.state' (hint: did you mean 'P-2.state'?)"
    ]


def test_that_every_device_has_an_alarm_of_its_loss() -> None:
    plant = good(alarms__a_yaml=alarms("devices: {PLC-1: {priority: urgent}, SIM: {priority: none}}\n"))
    lost = [rule for rule in plant.alarms if rule.kind is AlarmKind.DEVICE_LOST]
    assert [(rule.key, rule.tag, rule.priority) for rule in lost] == [("PLC-1/device_lost", -1, Priority.URGENT)]
    assert [device.alarm_priority for device in plant.devices] == [1, None]


def test_that_an_alarm_given_twice_is_told_with_the_first() -> None:
    text = alarms("alarms:\n  LT-1: {high: {limit: 5, priority: high}}\n")
    assert printed(alarms__a_yaml=text, alarms__b_yaml=text) == [
        "alarms/b.yaml:3:10: error: alarm 'high' of 'LT-1' is defined twice (hint: the first is at alarms/a.yaml:3:10)"
    ]


def test_that_a_limit_that_can_never_be_reached_is_a_warning() -> None:
    assert printed(alarms__a_yaml=alarms("alarms:\n  LT-1: {high: {limit: 7, priority: high}}\n")) == [
        "alarms/a.yaml:3:24: warning: the limit lies outside the range of 'LT-1': it can never be reached"
    ]


def test_that_a_limit_on_a_text_is_told() -> None:
    assert printed(alarms__a_yaml=alarms("alarms:\n  NOTE: {high: {limit: 7, priority: high}}\n")) == [
        "alarms/a.yaml:3:10: error: 'NOTE' is a text; an alarm needs a number or a state"
    ]


def test_that_an_unknown_screen_of_an_alarm_is_told() -> None:
    text = alarms("alarms:\n  LT-1: {high: {limit: 5, priority: high, screen: overveiw}}\n")
    assert printed(alarms__a_yaml=text) == [
        "alarms/a.yaml:3:51: error: unknown screen 'overveiw' (hint: did you mean 'overview'?)"
    ]
