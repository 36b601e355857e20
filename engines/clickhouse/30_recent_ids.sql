-- Every event that was stored lately, by its id: where a copy is looked for. A copy of an event older than this table
-- is late, and looked for by its time. A micro-batch asks for thousands of ids, scattered over all that there are: in
-- order of a number of eight bytes they are found at a fifth of what the ids themselves cost, and small granules bound
-- what is read for each of them.

create table if not exists ecommerce.recent_ids
(
    id_hash UInt64,
    event_id UUID,
    _topic LowCardinality(String),
    _partition Int32,
    _offset Int64,
    _timestamp DateTime64(3, 'UTC')
)
engine = MergeTree
partition by toYYYYMMDD(_timestamp)
order by id_hash
ttl toDateTime(_timestamp) + interval 2 day
settings non_replicated_deduplication_window = 1000, index_granularity = 256;

-- What held the ids before; its rows are in the events.
drop view if exists ecommerce.event_ids_of_events;
drop view if exists ecommerce.event_ids_of_late_events;
drop table if exists ecommerce.event_ids;

insert into ecommerce.recent_ids
select cityHash64(event_id), event_id, _topic, _partition, _offset, _timestamp
from (
    select event_id, _topic, _partition, _offset, _timestamp from ecommerce.events
    union all select event_id, _topic, _partition, _offset, _timestamp from ecommerce.events_late
)
where _timestamp > now() - interval 2 day and (select count() from ecommerce.recent_ids) = 0;

create materialized view if not exists ecommerce.recent_ids_of_events to ecommerce.recent_ids as
select cityHash64(event_id) as id_hash, event_id, _topic, _partition, _offset, _timestamp
from ecommerce.events;

create materialized view if not exists ecommerce.recent_ids_of_late_events to ecommerce.recent_ids as
select cityHash64(event_id) as id_hash, event_id, _topic, _partition, _offset, _timestamp
from ecommerce.events_late;
