"""``concord scale``: from what the speed layer records to what the policy is shown."""

from pathlib import Path

import pytest

from concord.cli.scale import Batch, Sample, cores_of, document, measured, observed, scale
from concord.errors import Unavailable
from concord.rules.load import Observation
from concord.rules.scaling import Reason, advise
from concord.rules.scaling_settings import ScalingSettings
from concord.speed.checkpoints.standing import began

OFFSETS = b'v1\n{"batchWatermarkMs":0,"batchTimestampMs":1795477071990,"conf":{}}\n{"events":{"0":7}}'


def test_a_micro_batch_began_when_spark_planned_it() -> None:
    assert began(OFFSETS) == 1_795_477_071.99


@pytest.mark.parametrize(
    "text", [None, b"", b"v1", b"v1\nno json\n{}", b"v1\n{}\n{}", b'v1\n{"batchTimestampMs":"x"}\n']
)
def test_a_micro_batch_without_a_record_of_it_began_at_no_known_time(text: bytes | None) -> None:
    assert began(text) is None


def test_rates_are_what_happened_between_two_samples() -> None:
    batch = Batch(batch_id=7, records=30_000, seconds=1.5)
    found = [Sample(10.0, 100_000, 5_000, None), Sample(12.0, 140_000, 9_000, batch)]

    assert observed(found, trigger_seconds=2) == [
        Observation(
            at_seconds=12.0,
            input_per_second=20_000,
            processed_per_second=20_000,
            lag_records=9_000,
            batch_id=7,
            batch_seconds=1.5,
            trigger_seconds=2,
            executors=1,
        )
    ]


def test_without_a_measured_batch_there_is_no_advice_to_change() -> None:
    found = [Sample(0.0, 0, 0, None), Sample(2.0, 900_000, 900_000, None)]
    advice = advise(observed(found, 2), ScalingSettings(partitions=4))

    assert advice.reason is Reason.UNMEASURED
    assert ("share of the time the input takes", "–") in measured(observed(found, 2)[-1], advice)


def test_the_document_names_the_reason_for_machines_and_for_people() -> None:
    found = observed([Sample(0.0, 0, 0, None), Sample(2.0, 10, 0, Batch(0, 10, 0.5))], 2)
    stated = document(found, advise(found, ScalingSettings(partitions=4)))

    assert (stated["advice"]["reason"], stated["advice"]["why"]) == ("steady", "the load fits")
    assert stated["observations"][0]["input_per_second"] == 5


@pytest.mark.parametrize(("master", "cores"), [("local[2]", 2), ("local[16]", 16), ("local[*]", 1), ("k8s://host", 1)])
def test_the_local_executor_has_the_cores_of_its_master(master: str, cores: int) -> None:
    assert cores_of(master) == cores


def test_without_a_running_speed_layer_there_is_nothing_to_advise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCORD_HOME", str(tmp_path))

    with pytest.raises(Unavailable, match="not running"):
        scale(seconds=1)
