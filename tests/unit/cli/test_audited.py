"""Whatever a command does to the data leaves its row, before anything of the answer is shown."""

from contextlib import suppress
from pathlib import Path

import pytest

from concord.batch import job
from concord.batch.audit_events import Landed
from concord.batch.build import Built
from concord.batch.load_raw import Loaded, SetAside
from concord.batch.mirrors import Mirrored
from concord.batch.range import Range
from concord.cli.audited import audited, spool
from concord.cli.audited_batch import run_audited
from concord.contracts.audit import Action, Ending
from concord.contracts.names import EVENTS_TOPIC
from concord.contracts.position import Position, Publication
from concord.errors import Disagreement
from concord.settings import Settings, load_settings
from concord.telemetry.clock import now
from concord.telemetry.timed import Timed


@pytest.fixture
def settings(home: Path) -> Settings:
    loaded = load_settings()
    loaded.secrets.mkdir(parents=True)
    return loaded


def test_a_read_leaves_what_was_asked_and_shown(settings: Settings) -> None:
    with audited(settings, Action.READ, "sql", store="lake", statement_sha256="abc") as noted:
        noted.note(rows_out=3, read_at={"orders": 7})
    (entry,) = spool(settings).undelivered()
    assert (entry.what, entry.store, entry.rows_out, entry.read_at) == ("sql", "lake", 3, {"orders": 7})
    assert (entry.ending, entry.error, entry.statement_sha256) == (Ending.DONE, None, "abc")
    assert "@" in entry.who


@pytest.mark.parametrize("error", [Disagreement("no"), KeyboardInterrupt()])
def test_what_fails_leaves_its_row_with_the_kind_of_failure_alone(settings: Settings, error: BaseException) -> None:
    with suppress(type(error)), audited(settings, Action.RUN, "recon run") as noted:
        noted.note(rows_in=5)
        raise error
    (entry,) = spool(settings).undelivered()
    assert (entry.ending, entry.error, entry.rows_in) == (Ending.FAILED, type(error).__name__, 5)


def test_parts_belong_to_the_batch_of_the_whole(settings: Settings) -> None:
    with audited(settings, Action.RUN, "batch run") as noted:
        noted.part("load orders", 1.5, rows_in=10, rows_out=9)
        noted.note(batch_id="000001-x")
    whole, part = spool(settings).undelivered()
    assert (whole.batch_id, part.batch_id, part.what) == ("000001-x", "000001-x", "batch run: load orders")
    assert (part.rows_in, part.rows_out, str(part.seconds)) == (10, 9, "1.500")


def test_a_machine_on_which_nothing_was_set_up_keeps_no_trail(home: Path) -> None:
    with audited(load_settings(), Action.READ, "sql"):
        pass
    assert not home.exists()


def test_every_step_of_a_batch_that_made_rows_has_its_row(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    publication = Publication("000001-x", Position.of([(EVENTS_TOPIC, 0, 99)]), now(), now())
    aside = (SetAside("orders", "/id", "is missing", 2), SetAside("orders", "/status", "is missing", 1))
    loaded = (Loaded("orders", 10, 10, aside), Loaded("events", 90, 80), Loaded("dead_letters", 4, 4))
    landed = Landed(Range(EVENTS_TOPIC, ()), 1, {0: 100}, {0: 6}, now())
    mirrored = (Mirrored("orders", 9, is_rebuilt=False, records=13, set_aside=3),)
    outcome = job.Outcome(publication, "000001-x", loaded, Built(30, 100, ()), landed, mirrored)
    monkeypatch.setattr(job, "run", lambda *_: outcome)
    monkeypatch.setattr("concord.cli.audited_batch.hand_in", lambda _: None)
    tools = type("Tools", (), {"loader": type("L", (), {"user": "U", "role": "LOADER"})})()
    run_audited(settings, tools, job.Request(now()), Timed())  # type: ignore[arg-type]
    rows = {entry.what: (entry.rows_in, entry.rows_out, entry.rows_rejected) for entry in spool(settings).undelivered()}
    assert rows == {
        "batch run": (107, 94, 7),
        "batch run: load orders": (13, 10, 3),
        "batch run: load events": (90, 80, 0),
        "batch run: load dead_letters": (4, 4, 0),
        "batch run: mirror orders": (13, 9, 3),
        "batch run: judge events": (100, 90, 4),
        "batch run: build and test models": (None, None, None),
    }
