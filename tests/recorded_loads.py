"""Loads as they were recorded, for the scaling policy: a shop's busiest day, and a burst that a benchmark sent."""

from collections.abc import Sequence

from tests.stream_simulator import LoadCurve

SHOP_DAY_STEP_SECONDS = 600.0
# fmt: off
SHOP_DAY = [
    30, 18, 0, 56, 62, 2, 0, 4, 1, 40, 47, 10, 25, 0, 0, 26, 51, 7, 40, 380, 253, 171, 162, 42, 124, 107, 112, 0, 132,
    1, 124, 93, 24, 56, 33, 154, 135, 181, 15, 20, 27, 5, 29, 72, 31, 197, 3, 46, 32, 12, 103, 40, 550, 1391, 51, 4,
]
"""Order lines per ten minutes of 5 December 2011, from 08:30 on, in the public data set Online Retail (CC BY 4.0)."""

BURST = [
    25471, 20396, 19960, 19892, 20090, 19924, 19938, 19759, 20408, 19798, 20042, 19988, 20054, 19895, 20127, 19897,
    19964, 20118, 19806, 20107, 20277, 19656, 20248, 19956, 20024, 19988, 19903, 19925, 20172, 20007, 19811, 20154,
    20106, 19940, 19983, 19828, 20181, 19952, 19910, 20083, 19918, 19976, 20019, 19933, 19812, 20145, 20237, 20027,
    19789, 19848, 20176, 20077, 20029, 19973, 20218, 19634, 20128, 19700, 20550, 19947, 19948, 19839, 18061, 22074,
    19732, 20305, 19941, 19803, 20105, 20166, 21276, 98960, 93795, 106843, 95807, 101572, 101484, 96856, 103264,
    100403, 94674, 104106, 100077, 99682, 94126, 107571, 97388, 101784, 96909, 97398, 102873, 100339, 100051, 101622,
    92928, 103440, 99151, 57327, 19758, 20234, 19883, 20072, 19972, 19969, 19881, 20026, 19841, 20336, 19872, 20118,
]
# fmt: on
"""Events sent in each second by `concord bench speed --burst`: 20,000/s, and five times as many for half a minute."""


def recorded(steps: Sequence[float], step_seconds: float, before: float = 0.0, times: float = 1.0) -> LoadCurve:
    """The recording, each value ``times`` as high, after ``before`` seconds of its first value; its last one stays."""

    def per_second(at: float) -> float:
        step = int((at - before) / step_seconds)
        return times * steps[min(max(step, 0), len(steps) - 1)]

    return per_second
