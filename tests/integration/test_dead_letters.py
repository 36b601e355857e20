"""Dead letters are repaired and sent again on the real engines, each once, wherever a replay breaks off."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from concord import bootstrap
from concord.cli import dlq
from concord.contracts.derived import DEAD_LETTERS
from concord.dialects.arrow import arrow_schema
from concord.errors import ConcordError, ExitCode, Unavailable
from concord.gateways.kafka import Kafka, NewRecord, Sender
from concord.ingest.dead_letters.audit import SOURCE_HEADER, AuditRow, Outcome
from concord.ingest.dead_letters.fixes import Fix, parse_fix
from concord.ingest.dead_letters.letters import Place, Selection
from concord.ingest.dead_letters.replay import Replay, Report
from concord.ingest.dead_letters.store import LetterStore
from concord.ingest.dead_letters.verdicts import Refusal
from concord.rules.quality import Reason
from concord.rules.violations import BAD_CHANGE_RECORD
from concord.settings import PROJECT, Settings, child_environment
from concord.telemetry.clock import now
from tests.factories import event_bytes
from tests.speed_database import speed_database

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

REPAIR = parse_fix(".user_id |= tonumber")
IDS = (f"replay-{number}" for number in count())


class Broken(Exception):
    """The process ends here."""


@dataclass(frozen=True)
class Scene:
    """A topic and an empty database of this test's own."""

    store: LetterStore
    kafka: Kafka
    topic: str

    @property
    def sender(self) -> Sender:
        return self.kafka.sender(f"test.{self.topic}")

    def plan(self, selection: Selection, fix: Fix | None = None, store: LetterStore | None = None) -> Replay:
        return Replay(store or self.store, self.kafka, selection, fix, next(IDS), now)

    def run(self, fix: Fix | None = None, selection: Selection | None = None) -> Report:
        return self.plan(selection or Selection(), fix).run(self.sender)

    def sources(self) -> list[str]:
        """The letters whose records lie committed in the topic."""
        marks = [dict(record.headers).get(SOURCE_HEADER) for record in self.kafka.read(self.topic)]
        return sorted(mark.decode() for mark in marks if mark is not None)

    def bury(self, originals: Sequence[bytes | None], reason: str = Reason.WRONG_TYPE, start: int = 1000) -> list[str]:
        """Dead letters as the speed layer leaves them; their positions."""
        at = now()
        rows = [
            dict(
                zip(
                    DEAD_LETTERS.names,
                    (str(reason), "/user_id", "is no integer", original, *place, at, at),
                    strict=True,
                )
            )
            for place, original in ((Place(self.topic, 0, start + n), each) for n, each in enumerate(originals))
        ]
        table = pa.Table.from_pylist(rows, schema=arrow_schema(DEAD_LETTERS))
        self.store.clickhouse.insert_arrow(DEAD_LETTERS.name, table, f"{start}")
        return [str(Place(self.topic, 0, row["_offset"])) for row in rows]


@pytest.fixture
def scene(settings: Settings, kafka: Kafka) -> Iterator[Scene]:
    topic = f"test.dlq.{uuid.uuid4().hex}"
    log_append_time = {"message.timestamp.type": "LogAppendTime"}
    kafka.create_topics({topic: log_append_time, f"dlq.{topic}": log_append_time}, partitions=2)
    with speed_database(settings) as store:
        yield Scene(LetterStore(store), kafka, topic)


def spoiled(seed: int, at: datetime) -> bytes:
    return event_bytes(seed=seed, user_id=str(seed), occurred_at=at.isoformat(timespec="milliseconds"))


def drive(scene: Scene, folder: Path) -> None:
    """Let the speed layer take in what the topic holds."""
    arguments = (scene.store.clickhouse.database, scene.topic, str(folder))
    command = [sys.executable, "-m", "tests.integration.speed_driver", *arguments]
    subprocess.run(command, cwd=PROJECT, env=child_environment(), input=b"", timeout=400, check=True)


def test_a_dead_letter_is_repaired_and_becomes_an_event_exactly_once(scene: Scene, tmp_path: Path) -> None:
    bad = [spoiled(seed, now()) for seed in (1, 2)]
    sender = scene.sender
    sender.open()
    sender.send([NewRecord(scene.topic, "k", each) for each in [*bad, b"\xff\x1b[31m", None]])
    drive(scene, tmp_path)

    groups = {group.reason: group for group in scene.store.groups()}
    assert {reason: (each.letters, each.open) for reason, each in groups.items()} == {
        Reason.WRONG_TYPE: (2, 2),
        Reason.NOT_JSON: (2, 2),
    }
    assert groups[Reason.WRONG_TYPE].pointer == "/user_id"
    originals = [each.original for each in scene.store.first(Selection(reasons=(Reason.NOT_JSON,)), 10)]
    assert sorted(originals, key=repr) == [None, b"\xff\x1b[31m"]

    report = scene.run(REPAIR)
    assert [each.why for each in report.letters] == ["", "", Refusal.CANNOT_FIX, Refusal.CANNOT_FIX]
    assert scene.run(REPAIR).sent == []
    drive(scene, tmp_path)

    assert scene.store.clickhouse.position().covers(scene.kafka.end_position([scene.topic]))
    stored = scene.store.clickhouse.query("select toString(event_id), user_id from events order by user_id")
    assert stored == [(json.loads(original)["event_id"], seed) for seed, original in enumerate(bad, start=1)]
    assert [(group.reason, group.letters, group.replayed) for group in scene.store.groups()] == [
        (Reason.NOT_JSON, 2, 0),
        (Reason.WRONG_TYPE, 2, 2),
    ]


@dataclass(frozen=True)
class BreaksBeforeSent(LetterStore):
    """The process ends after the records were committed, before the audit says so."""

    def record(self, rows: Sequence[AuditRow], token: str) -> None:
        if rows[0]["outcome"] == Outcome.SENT:
            raise Broken
        super().record(rows, token)


def test_a_replay_that_breaks_off_after_the_commit_sends_nothing_twice(scene: Scene) -> None:
    places = scene.bury([event_bytes(seed=seed) for seed in range(1, 4)])
    with pytest.raises(Broken):
        scene.plan(Selection(), None, BreaksBeforeSent(scene.store.clickhouse)).run(scene.sender)
    assert scene.sources() == places

    dry = scene.plan(Selection()).preview()
    report = scene.run()

    assert (report.found, report.withdrawn, report.letters) == (3, 0, [])
    assert (dry.found, dry.withdrawn, dry.letters) == (3, 0, [])
    assert scene.sources() == places
    assert scene.store.open_intents() == []


def test_a_letter_whose_record_the_topic_may_have_forgotten_is_not_sent_again(scene: Scene) -> None:
    scene.bury([event_bytes()])
    with pytest.raises(Broken):
        scene.plan(Selection(), None, BreaksBeforeSent(scene.store.clickhouse)).run(scene.sender)
    (record,) = scene.kafka.read(scene.topic)
    admin = AdminClient({"bootstrap.servers": scene.kafka.bootstrap})
    behind = TopicPartition(scene.topic, record.partition, record.offset + 1)
    admin.delete_records([behind])[behind].result()

    assert [each.why for each in scene.run().letters] == [Refusal.UNCERTAIN]
    assert scene.sources() == []


class DiesInside:
    """Hands the records to the broker and is gone before the commit, without a word."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def open(self) -> None:
        self._sender.open()

    def send(self, records: Sequence[NewRecord]) -> list[tuple[str, int, int]]:
        producer = self._sender._producer
        producer.begin_transaction()
        for record in records:
            producer.produce(record.topic, key=record.key, value=record.value, headers=list(record.headers))
        assert producer.flush(30) == 0
        raise Broken


def test_what_was_sent_and_not_committed_is_sent_by_the_next_replay(scene: Scene) -> None:
    places = scene.bury([event_bytes(seed=seed) for seed in range(1, 4)])
    with pytest.raises(Broken):
        scene.plan(Selection()).run(DiesInside(scene.sender))

    report = scene.run()

    assert (report.found, report.withdrawn, len(report.sent)) == (0, 3, 3)
    assert scene.sources() == places


def test_an_older_replay_cannot_send_once_a_newer_one_has_begun(scene: Scene) -> None:
    scene.bury([event_bytes()])
    older, newer = scene.sender, scene.sender
    older.open()
    newer.open()
    with pytest.raises(Unavailable, match="did not take the records"):
        older.send([NewRecord(scene.topic, "k", event_bytes())])
    assert len(newer.send([NewRecord(scene.topic, "k", event_bytes())])) == 1
    assert len(list(scene.kafka.read(scene.topic))) == 1


def test_letters_are_chosen_by_place_reason_topic_and_time(scene: Scene) -> None:
    before = now()
    places = [Place.parse(each) for each in scene.bury([b"1", b"2"])]
    ahead = [Place.parse(each) for each in scene.bury([b"3"], Reason.IMPOSSIBLE_TIME, start=2000)]

    def chosen(**named: object) -> list[Place]:
        return [each.place for page in scene.store.pages(Selection(**named)) for each in page]  # type: ignore[arg-type]

    assert chosen() == [*ahead, *places]
    assert chosen(reasons=(Reason.WRONG_TYPE,)) == places
    assert chosen(places=(places[1],)) == places[1:]
    assert chosen(topic=scene.topic, since=before.replace(microsecond=0)) == [*ahead, *places]
    assert chosen(until=before.replace(microsecond=0)) == chosen(topic="other") == []
    assert scene.store.missing([places[0], Place(scene.topic, 1, 7)]) == [Place(scene.topic, 1, 7)]


def test_many_letters_are_sent_page_by_page_and_each_keeps_its_history(scene: Scene) -> None:
    places = scene.bury([event_bytes(seed=seed) for seed in range(1, 2502)])
    report = scene.run()
    assert len(report.sent) == len(scene.sources()) == 2501
    first = Place.parse(places[0])
    history = scene.store.history([first])
    assert [row["outcome"] for row in history] == ["intended", "sent"]
    produced = Place(*(history[1][f"produced_{part}"] for part in ("topic", "partition", "offset")))
    assert report.letters[0].produced == produced
    assert [row["outcome"] for row in scene.store.history([produced])] == ["sent"]


def test_the_guard_counts_what_replays_have_sent(scene: Scene) -> None:
    scene.bury([event_bytes()])
    for attempt in (1, 2, 3):
        (sent,) = scene.run().sent
        assert (sent.attempt, sent.produced is not None) == (attempt, True)
        assert sent.produced is not None
        bury_at(scene, sent.produced, attempt)
    assert [each.why for each in scene.run().letters] == [Refusal.TOO_MANY_ATTEMPTS]
    assert len(scene.sources()) == 3


def bury_at(scene: Scene, place: Place, number: int) -> None:
    at = now()
    row = ("wrong_type", "", "", event_bytes(), *place, at, at)
    rows = pa.Table.from_pylist([dict(zip(DEAD_LETTERS.names, row, strict=True))], schema=arrow_schema(DEAD_LETTERS))
    scene.store.clickhouse.insert_arrow(DEAD_LETTERS.name, rows, f"again {number}")


def test_the_commands_list_show_and_replay(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "clickhouse", lambda *_: scene.store.clickhouse)
    good, bad = scene.bury([spoiled(1, now()), b"\x1b]0;owned\x07[red]\xff" + b"text " * 10])
    scene.bury([b"{}"], BAD_CHANGE_RECORD, start=2000)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(dlq.app, list(arguments), env={"COLUMNS": "300"})
        if isinstance(result.exception, ConcordError):
            return int(result.exception.exit_code), result.output
        return result.exit_code, result.output

    def document(*arguments: str) -> Any:
        return json.loads(run(*arguments, "--json")[1])

    groups = document("list")
    assert [(group["reason"], group["letters"], group["open"], group["example"]) for group in groups] == [
        ("wrong_type", 2, 2, bad),
        ("bad_change_record", 1, 1, f"{scene.topic}/0/2000"),
    ]
    code, screen = run("show", bad)
    assert (code, "\x1b" in screen, "\x07" in screen) == (0, False, False)
    assert r"\x1b]0;owned\x07[red]\xff" in screen
    assert document("show", bad)[0]["original"]["encoding"] == "base64"
    assert run("show", f"{scene.topic}/1/1")[0] == ExitCode.USAGE

    patch = '[{"op": "replace", "path": "/user_id", "value": 1}]'
    dry = document("replay", "--fix", patch, "--dry-run")
    assert scene.sources() == []
    real = document("replay", "--fix", patch)
    assert [each["position"] for each in dry["sent"]] == [each["position"] for each in real["sent"]] == [good]
    assert dry["refused"] == real["refused"]
    assert [each["refusal"] for each in real["refused"]] == ["cannot_fix", "change_record"]
    assert scene.sources() == [good]

    code, screen = run("replay")
    assert code == ExitCode.CONTRACT_VIOLATION
    assert "repair the row at the source" in screen
    code, screen = run("replay", good)
    assert "already_replayed" in screen
    (shown,) = document("show", good)
    assert [step["outcome"] for step in shown["replays"]] == ["intended", "sent", "refused"]
    assert run("list")[0] == 0
