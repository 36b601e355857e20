-- What Flink does with the topic of events: parse, one row per event id, sessions of 30 minutes by device.
-- ${brokers}, ${topic}, ${from} and ${to} are put in by the caller; the job ends before the offsets of ${to}.

create table events (
    event_id string,
    event_type string,
    user_id bigint,
    anonymous_id string,
    occurred_at string,
    product_id bigint,
    price string,
    quantity int,
    total_amount string,
    happened as to_timestamp(substring(occurred_at, 1, 23), 'yyyy-MM-dd''T''HH:mm:ss.SSS'),
    seen as proctime(),
    watermark for happened as happened - interval '30' minute
) with (
    'connector' = 'kafka',
    'topic' = '${topic}',
    'properties.bootstrap.servers' = '${brokers}',
    'properties.group.id' = 'peer.flink',
    'scan.startup.mode' = 'specific-offsets',
    'scan.startup.specific-offsets' = '${from}',
    'scan.bounded.mode' = 'specific-offsets',
    'scan.bounded.specific-offsets' = '${to}',
    'format' = 'json',
    'json.ignore-parse-errors' = 'true'
);

create view once as
select owner, event_id, event_type, happened from (
    select coalesce(anonymous_id, concat('user:', cast(user_id as string))) as owner, event_id, event_type, happened,
        row_number() over (partition by event_id order by seen asc) as copy
    from events
    where event_id is not null and happened is not null and happened > timestamp '2000-01-01 00:00:00'
) where copy = 1;

create view sessions as
select owner, window_start, window_end, count(*) as events,
    sum(case when event_type = 'PURCHASE' then 1 else 0 end) as purchases
from table(session(table once partition by owner, descriptor(happened), interval '30' minute))
where owner is not null
group by owner, window_start, window_end;

select count(*) as sessions, sum(events) as events from sessions
