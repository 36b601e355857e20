"""A flow whose sums do not add up says which."""

from dataclasses import replace

from concord.reconcile.conserve import Flow

WHOLE = Flow("t", read=10, stored=7, dead=2, duplicate=1, late=0, at_rest=7, lake=10, raw=7, set_aside=3)


def test_a_flow_that_adds_up_has_no_fault():
    assert WHOLE.faults == ()
    assert replace(WHOLE, stored=6, late=1, at_rest=6).faults == ()


def test_every_sum_that_does_not_add_up_is_named():
    assert len(replace(WHOLE, stored=6).faults) == 3
    assert replace(WHOLE, lake=9, set_aside=2).faults == ("t: read by the speed layer ≠ rows in the lake: 10 ≠ 9",)
    assert replace(WHOLE, set_aside=2).faults == ("t: rows in the lake ≠ rows in RAW + dead + duplicate: 10 ≠ 9",)
    assert replace(WHOLE, raw=8, set_aside=2).faults == ("t: stored + late ≠ rows in RAW: 7 ≠ 8",)
