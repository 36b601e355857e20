"""Reading a topic as fast as a client can, to know how fast that is."""

from confluent_kafka import TopicPartition

from concord.gateways.kafka.reading import Consuming

AT_ONCE = 20_000
POLL_SECONDS = 5.0


def count_records(bootstrap: str, topic: str, partitions: int, until: int) -> int:
    """Read ``topic`` from its beginning until so many records, or nothing comes for five seconds; how many came."""
    with Consuming(bootstrap) as consumer:
        consumer.assign([TopicPartition(topic, each, 0) for each in range(partitions)])
        records = 0
        while records < until and (messages := consumer.consume(AT_ONCE, POLL_SECONDS)):
            records += sum(message.error() is None for message in messages)
        return records
