"""Kafka: records cannot be changed, so the oldest of each partition are deleted, up to the person's last one.

What is deleted lies in the lake, overwritten: a replay takes it from there. Never deleted is what a layer has still to
read.
"""

from collections.abc import Iterator

from concord.contracts.names import DEAD_LETTER_TOPIC, EVENTS_TOPIC, cdc_topic
from concord.contracts.position import NOTHING_HELD, Position, TopicPartition
from concord.contracts.tables import TABLES
from concord.erasure.changes import BY_TOPIC, is_theirs
from concord.erasure.outcome import Done, Found
from concord.erasure.person import Person
from concord.erasure.values import is_erased, personal
from concord.gateways.kafka import Kafka, Record
from concord.landed.rows import document

READ_BY_NOBODY = (DEAD_LETTER_TOPIC,)
"""Topics for people: no layer reads them, so nothing waits there."""
CLICKS = (EVENTS_TOPIC, DEAD_LETTER_TOPIC)
TOPICS = (*(cdc_topic(table) for table in TABLES.values()), *CLICKS)


def erase(kafka: Kafka, person: Person, held: Position, apply: bool) -> Iterator[Done]:
    """Delete up to the person's last record, at most what ``held`` says that both layers have for good."""
    for topic in TOPICS:
        found = Position.of((r.topic, r.partition, r.offset) for r in records(kafka, person, topic))
        upto = found if topic in READ_BY_NOBODY else found.cut(held)
        due = {TopicPartition(t, part): last + 1 for t, part, last in upto.of_topic(topic) if last > NOTHING_HELD}
        first = {place: kept[0] for place, kept in kafka.kept([topic]).items()} if due else {}
        due = {place: end for place, end in due.items() if end > first[place]}
        if apply and due:
            kafka.delete_before(due)
        yield Done(f"Kafka {topic}", "offsets deleted", sum(end - first[place] for place, end in due.items()))


def scan(kafka: Kafka, person: Person) -> Iterator[Found]:
    """Every record that can still be read."""
    for topic in TOPICS:
        yield Found(f"Kafka {topic}", sum(1 for _ in records(kafka, person, topic)))


def records(kafka: Kafka, person: Person, topic: str) -> Iterator[Record]:
    """The topic's records that hold something of the person."""
    return (record for record in kafka.read(topic) if is_about(person, record))


def is_about(person: Person, record: Record) -> bool:
    """A change by its classified columns, any other record by the texts and the number it holds."""
    content = b"\n".join(filter(None, (record.key, record.value)))
    if record.topic in CLICKS:
        is_their_device = record.key is not None and record.key.decode(errors="replace") in person.devices
        return is_their_device or person.pattern.search(content) is not None
    table, change = BY_TOPIC.get(record.topic), document(record.value)
    if table is None or change is None:
        return bool(person.text_pattern and person.text_pattern.search(content))
    is_left = any(not is_erased(person.user_id, each, change.get(each.name)) for each in personal(table))
    return is_left and is_theirs(change, table, person)
