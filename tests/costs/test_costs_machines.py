"""Peak rates of accelerators: plausible, with a source, one of each name."""

from jaxscale.costs.machines import MACHINES


def test_every_machine_has_a_source_and_is_faster_than_a_laptop():
    assert all(machine.source and 1e14 < machine.peak < 1e16 for machine in MACHINES)
    assert len({machine.name.casefold() for machine in MACHINES}) == len(MACHINES)
