"""The process of the demo plant: it balances, it is calm, and what happens to it has the right consequences."""

import pytest

from hmi.demo.pump import PumpMode, PumpState
from hmi.demo.treatment import FilterState, ScreenState
from hmi.demo.waterworks import STEP_S, TANK_AREA_M2, UnknownEquipment, Waterworks


def run(works: Waterworks, seconds: float) -> None:
    for _ in range(round(seconds / STEP_S)):
        works.step()


@pytest.fixture
def works() -> Waterworks:
    return Waterworks(seed=1)


def test_that_what_the_tank_gains_is_inflow_less_outflow(works: Waterworks) -> None:
    works.filters[0].backwash()
    before, gained_m3 = works.level, 0.0
    for _ in range(1500):
        works.step()
        gained_m3 += (works.filtered_flow - works.out_flow - works.wash_flow) * STEP_S / 1000.0
    assert (works.level - before) * TANK_AREA_M2 == pytest.approx(gained_m3, abs=1e-6)


def test_that_no_water_is_lost_between_river_and_town(works: Waterworks) -> None:
    works.leak("South", 40.0)
    for _ in range(600):
        works.step()
        pumped = sum(p.flow for p in works.raw_pumps)
        assert works.raw_flow == pytest.approx(pumped)
        assert sum(f.flow for f in works.filters) == pytest.approx(works.raw_flow)
        assert works.filtered_flow == pytest.approx(works.raw_flow * 0.986)
        assert sum(p.flow for p in works.high_lift_pumps) == pytest.approx(works.out_flow)
        assert works.out_flow == pytest.approx(works.north.flow + works.south.flow, abs=0.1)


def test_that_electrical_power_times_efficiency_is_hydraulic_power(works: Waterworks) -> None:
    run(works, 60)
    for pump in works.pumps:
        assert pump.power * pump.efficiency == pytest.approx(pump.hydraulic_kw, abs=1e-9)
    water = 0.1 * (works.header - works.high_lift_pumps[0].suction) * works.out_flow
    assert 0.78 < water / works.station_power < 0.83


def test_that_energy_is_power_over_time(works: Waterworks) -> None:
    before, used = works.energy_kwh, 0.0
    for _ in range(600):
        works.step()
        used += sum(p.power for p in works.pumps) * STEP_S / 3600.0
    assert works.energy_kwh - before == pytest.approx(used)


def test_that_the_same_seed_gives_the_same_plant() -> None:
    one, other = Waterworks(7), Waterworks(7)
    run(one, 20)
    run(other, 20)
    assert one.shown == other.shown
    assert one.shown != Waterworks(8).shown


def test_that_a_dirty_filter_is_washed_by_itself_one_at_a_time(works: Waterworks) -> None:
    works.filters[1].dirt = works.filters[2].dirt = 1.25
    most_at_once, washed = 0, set()
    for _ in range(1300):
        works.step()
        at_once = {f.name for f in works.filters if f.state is FilterState.BACKWASH}
        most_at_once = max(most_at_once, len(at_once))
        washed |= at_once
    assert washed == {"F-202", "F-203"}
    assert most_at_once == 1


def test_that_the_standby_pump_takes_over_when_one_trips(works: Waterworks) -> None:
    run(works, 5)
    works.trip("P-302")
    run(works, 2)
    assert works.shown["PT-310"] < 4.76, "the town must feel it"
    assert works.pump("P-303").state is PumpState.STARTING
    run(works, 20)
    assert works.pump("P-303").state is PumpState.RUNNING
    run(works, 60)
    assert works.header == pytest.approx(works.pressure_setpoint, abs=0.1)
    assert works.pump("P-302").state is PumpState.TRIPPED
    assert works.pump("P-302").speed == 0.0


def test_that_a_reset_pump_stands_by_again(works: Waterworks) -> None:
    works.trip("P-101")
    run(works, 30)
    assert not works.pump("P-101").ready
    works.pump("P-101").ask_reset()
    run(works, 5)
    assert works.pump("P-101").state is PumpState.STANDBY
    assert works.pump("P-101").ready


def test_that_a_leak_draws_down_the_pressure_and_brings_more_water(works: Waterworks) -> None:
    run(works, 10)
    usual = works.north.flow
    works.leak("North", 150.0)
    run(works, 150)
    assert works.north.flow > usual + 100.0
    assert works.raw_flow > 470.0
    works.leak("North", 0.0)
    run(works, 60)
    assert works.north.flow < usual + 40.0


def test_that_a_clogged_filter_is_washed_and_is_clean_again(works: Waterworks) -> None:
    run(works, 1)
    works.clog("F-202")
    run(works, 5)
    assert works.shown["PDT-201"] > 0.5
    run(works, 150)
    assert works.filters[1].state is FilterState.FILTERING
    assert works.filters[1].dirt < 1.0


def test_that_a_clogged_screen_shows_and_is_raked(works: Waterworks) -> None:
    works.clog("SC-101")
    run(works, 2)
    assert works.screen.state is ScreenState.CLOGGED
    assert works.shown["PDT-101"] > 8.4
    works.screen.rake()
    run(works, 60)
    assert works.screen.state is ScreenState.CLEAN


def test_that_pumps_without_suction_trip(works: Waterworks) -> None:
    works.v101_target = 0.0
    run(works, 20)
    assert works.raw_flow == 0.0
    assert works.shown["FT-110"] == 0.0
    assert works.pump("P-101").state is PumpState.TRIPPED


def test_that_chlorine_falls_when_the_dosing_pump_trips(works: Waterworks) -> None:
    works.trip("CP-261")
    run(works, 90)
    assert works.dosing.residual < 0.2
    assert works.shown["AT-210"] < 0.14
    works.dosing.ask_reset()
    run(works, 150)
    assert works.dosing.residual == pytest.approx(0.60, abs=0.15)


def test_that_an_operator_moves_a_pump_by_hand(works: Waterworks) -> None:
    pump = works.pump("P-301")
    assert not pump.ask_speed(60.0), "in automatic the controller gives the speed"
    assert not pump.ask_run(True)
    assert pump.ask_mode(PumpMode.MANUAL)
    assert not pump.ask_speed(39.0)
    assert not pump.ask_speed(101.0)
    assert pump.ask_speed(60.0)
    run(works, 10)
    assert pump.speed == pytest.approx(60.0)
    assert pump.ask_run(False)
    run(works, 10)
    assert pump.state is PumpState.STOPPED
    assert not pump.ask_mode(PumpMode.LOCAL), "local is chosen at the pump"


def test_that_a_stop_in_automatic_takes_the_pump_out_of_it(works: Waterworks) -> None:
    pump = works.pump("P-102")
    assert pump.ask_run(False)
    run(works, 15)
    assert pump.mode is PumpMode.MANUAL
    assert pump.state is PumpState.STOPPED
    assert works.pump("P-103").running


def test_that_unknown_equipment_is_named(works: Waterworks) -> None:
    for event in (works.trip, works.clog, works.leak):
        with pytest.raises(UnknownEquipment, match="X-1"):
            event("X-1")
