-- Every event that is stored, by its id: where a copy is looked for. Small granules, because a micro-batch asks
-- for thousands of scattered ids. A copy of an event older than this table is late, and looked for by its time.

create table if not exists ecommerce.event_ids
(
    event_id UUID,
    _topic LowCardinality(String),
    _partition Int32,
    _offset Int64,
    _timestamp DateTime64(3, 'UTC')
)
engine = MergeTree
partition by toYYYYMMDD(_timestamp)
order by event_id
ttl toDateTime(_timestamp) + interval 2 day
settings non_replicated_deduplication_window = 1000, index_granularity = 512;

create materialized view if not exists ecommerce.event_ids_of_events to ecommerce.event_ids as
select event_id, _topic, _partition, _offset, _timestamp
from ecommerce.events;

create materialized view if not exists ecommerce.event_ids_of_late_events to ecommerce.event_ids as
select event_id, _topic, _partition, _offset, _timestamp
from ecommerce.events_late;
