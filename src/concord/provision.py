"""Everything the engines must hold before data flows: roles, tables, topics, connectors.

Every step looks first and changes only what differs, so a second run changes nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from concord import bootstrap
from concord.contracts import names
from concord.contracts.model import Dataset
from concord.contracts.tables import TABLES
from concord.contracts.warehouse import DATABASE, GOVERNANCE, MONITOR, WAREHOUSES, Role
from concord.dialects import clickhouse, iceberg, snowflake
from concord.dialects.snowflake import account
from concord.errors import Misconfigured
from concord.evolution.differences import Step
from concord.evolution.migrate import (
    migrate_clickhouse,
    migrate_lake,
    migrate_snowflake,
    planned_in_snowflake,
)
from concord.gateways.connect import Connect
from concord.gateways.snowflake import Snowflake
from concord.settings import PROJECT, Settings

Report = Callable[[str], None]
Notes = list[str]
"""What a step has altered of tables that were there."""

ENGINES = PROJECT / "engines"
SUPERUSER = "postgres"
MAINTENANCE_DATABASE = "postgres"

DAY_MS = 24 * 60 * 60 * 1000
FOREVER = "-1"
ARRIVAL = {"message.timestamp.type": "LogAppendTime"}
CHANGES = {**ARRIVAL, "retention.ms": FOREVER}
"""The change log is the truth that both layers can be rebuilt from."""
EVENTS = {**ARRIVAL, "retention.ms": str(7 * DAY_MS), "max.message.bytes": str(names.MAX_MESSAGE_BYTES)}
DEAD_LETTERS = {**ARRIVAL, "retention.ms": str(30 * DAY_MS), "max.message.bytes": str(names.MAX_DEAD_LETTER_BYTES)}
CONTROL = {"retention.ms": str(30 * DAY_MS)}
"""Longer than any outage: what a sink announced there and did not commit yet is lost with it (trap K5)."""
HEARTBEAT = {"retention.ms": str(DAY_MS)}
HEARTBEAT_TOPIC = f"__debezium-heartbeat.{names.CDC_TOPIC_PREFIX}"

SHOWN = 5
TABLES_OF_ACCOUNT = "database, schemas, tables"
CONTROL_TOPIC = "iceberg.control.topic"
CONNECTOR_SECONDS = 120

_log = structlog.get_logger(__name__)


def _to_log(step: str) -> None:
    _log.info("provision", step=step)


def provision(settings: Settings, report: Report = _to_log) -> None:
    """Bring every engine to what the contracts declare; ``report`` is told each step before it is done."""
    for title, step in STEPS.items():
        report(title)
        for note in step(settings) or ():
            report(note)


def provision_postgres(settings: Settings) -> None:
    """Roles, database, tables, publication, heartbeat."""
    folder = ENGINES / "postgres"
    server = bootstrap.postgres(settings, SUPERUSER, MAINTENANCE_DATABASE)
    with server.connect() as session:
        for role in (names.OWNER_ROLE, names.CDC_ROLE):
            secret = settings.secret(bootstrap.POSTGRES_SECRETS[role]).get_secret_value()
            session.query("select set_config(%s, %s, false)", (_password_setting(role), secret))
        session.run_file(folder / "00_roles.sql")
        name = settings.postgres.database
        if not session.query("select 1 from pg_database where datname = %s", (name,)):
            session.execute(f'create database "{name}" owner {names.OWNER_ROLE}')
    shop = bootstrap.postgres(settings, SUPERUSER)
    for path in sorted(folder.glob("*.sql")):
        if path.name > "00_roles.sql":
            shop.run_file(path)


def _password_setting(role: str) -> str:
    return f"concord.{role.removeprefix('concord_')}_password"


def provision_kafka(settings: Settings) -> None:
    """Every topic, before anything could create one with the broker's defaults."""
    kafka = bootstrap.kafka(settings)
    kafka.create_topics(keyed_topics(), names.TOPIC_PARTITIONS)
    kafka.create_topics(ordered_topics(), 1)
    for group, topic in coordinators():
        kafka.pin_group(group, topic)


def keyed_topics() -> dict[str, Mapping[str, str]]:
    """Topics whose records keep to a partition by key, with their settings."""
    changes = {names.cdc_topic(table): CHANGES for table in TABLES.values()}
    return {**changes, names.EVENTS_TOPIC: EVENTS, names.DEAD_LETTER_TOPIC: DEAD_LETTERS}


def ordered_topics() -> dict[str, Mapping[str, str]]:
    """Topics of one partition: their records have one order."""
    control = {topic: CONTROL for _, topic in coordinators()}
    return {names.FENCE_TOPIC: CHANGES, HEARTBEAT_TOPIC: HEARTBEAT, **control}


def coordinators() -> Iterator[tuple[str, str]]:
    """(consumer group, control topic) of each sink's coordinator.

    The coordinator starts at the end of the control topic if its group has no offset, and its first
    commit is its first offset: killed before it, it would forget files that a task had announced.
    """
    for name, config in connectors().items():
        if CONTROL_TOPIC in config:
            yield f"connect-{name}-coord", config[CONTROL_TOPIC]


def provision_lake(settings: Settings) -> Notes:
    """Namespace, tables and the bucket of documents; the sinks never create one, because they would guess its types."""
    lake = bootstrap.lake(settings)
    lake.create_namespace()
    notes = [note for dataset in iceberg.LAKE_DATASETS for note in told(dataset, migrate_lake(lake, dataset))]
    for dataset in iceberg.LAKE_DATASETS:
        lake.create_table(dataset)
    bootstrap.document_store(settings).create_bucket()
    return notes


def provision_checkpoints(settings: Settings) -> None:
    """The bucket of the speed layer's checkpoints, where the profile keeps them on the object store."""
    if store := bootstrap.checkpoint_store(settings):
        store.create_bucket()


def provision_clickhouse(settings: Settings) -> Notes:
    """Database, tables and views of the speed layer. Views need the columns, so tables are altered first."""
    store = bootstrap.clickhouse(settings, "admin")
    notes = [
        note for dataset in clickhouse.TABLE_DATASETS for note in told(dataset, migrate_clickhouse(store, dataset))
    ]
    for path in _statements("clickhouse"):
        store.run_file(path)
    return notes


def provision_snowflake(settings: Settings) -> Notes:
    """Database, schemas and tables of the batch layer. Those of an account are its administrator's, and only looked at."""
    with bootstrap.snowflake(settings) as warehouse:
        if keeps_roles(warehouse):
            require_set_up(warehouse)
            return []
    with bootstrap.administrator(settings) as owner:
        for path in _statements("snowflake"):
            owner.run_file(path)
        return _migrated(owner)


def keeps_roles(warehouse: Snowflake) -> bool:
    """Whether a role means something there: then tables belong to who made them, and that is the administrator."""
    return _is_named(warehouse, f"show roles like '{warehouse.role}'")


def _migrated(owner: Snowflake) -> Notes:
    return [str(planned) for planned in migrate_snowflake(owner, snowflake.TABLES_BY_SCHEMA)]


def require_set_up(warehouse: Snowflake) -> None:
    """Raises :class:`Misconfigured` naming tables that are not there, or not as their contracts have them."""
    todo: list[str] = []
    for schema, datasets in snowflake.TABLES_BY_SCHEMA.items():
        there = warehouse.tables(schema)
        todo += [f"{schema}.{dataset.name} is absent" for dataset in datasets if dataset.name not in there]
        todo += map(str, planned_in_snowflake(there, schema, datasets))
    if todo:
        shown = "; ".join(todo[:SHOWN]) + (f"; and {len(todo) - SHOWN} more" if len(todo) > SHOWN else "")
        raise Misconfigured(
            f"Snowflake at {warehouse.address} is not set up as declared: {shown}",
            "its administrator runs `concord warehouse setup`",
        )


def told(dataset: Dataset, steps: Sequence[Step]) -> Notes:
    """What was altered, in words."""
    return [f"{dataset.name}: {step}" for step in steps]


def account_scripts(settings: Settings) -> dict[str, str]:
    """What sets up an account, title → statements, in their order; all of it can be repeated."""
    folder = ENGINES / "snowflake" / "account"
    tables = [path.read_text() for path in _statements("snowflake")]
    return {
        "roles, warehouses, resource monitor": (folder / "10_roles_and_warehouses.sql").read_text(),
        "auto-suspend of the profile": _script(account.set_suspend(settings.snowflake.auto_suspend_seconds)),
        "roles of the pipeline's user": _script(account.grant_roles(settings.snowflake.user)),
        TABLES_OF_ACCOUNT: "\n".join(tables),
        "grants": (folder / "20_grants.sql").read_text(),
        "tags and masks of personal columns": (folder / "30_personal_data.sql").read_text(),
    }


def _script(statements: list[str]) -> str:
    return "".join(f"{statement};\n" for statement in statements)


@dataclass(frozen=True)
class SetUp:
    """What a set-up took: statements of its scripts, and what it altered of tables that were there."""

    statements: int
    altered: Notes


def set_up_account(warehouse: Snowflake, settings: Settings, report: Report = _to_log) -> SetUp:
    """Bring an account to what is declared, as its administrator, who owns the tables and so alone may alter them."""
    sent, altered = 0, Notes()
    for title, script in account_scripts(settings).items():
        report(title)
        sent += warehouse.run_script(script)
        if title == TABLES_OF_ACCOUNT:
            altered = _migrated(warehouse)
    return SetUp(sent, altered)


def not_kept(warehouse: Snowflake) -> list[str]:
    """Kinds of things that were asked for and are not there: a local server takes such statements and does nothing."""
    return [kind for kind, question in KEPT.items() if not _is_named(warehouse, question)]


def _is_named(warehouse: Snowflake, question: str) -> bool:
    """True if an answer's row holds the name that the question asks for."""
    name = question.split("'")[1]
    try:
        return any(name.upper() in map(str, row) for row in warehouse.query(question))
    except Misconfigured:
        return False


KEPT = {
    "roles": f"show roles like '{Role.REPORTER}'",
    "warehouses": f"show warehouses like '{WAREHOUSES[0].name}'",
    "resource monitor": f"show resource monitors like '{MONITOR.name}'",
    "tags": f"show tags like '{account.TAG.split('.')[1]}' in schema {DATABASE}.{GOVERNANCE}",
    "masks": f"show masking policies like '{account.MASK.split('.')[1]}' in schema {DATABASE}.{GOVERNANCE}",
}
"""How an account is asked for what was set up."""


def _statements(engine: str) -> list[Path]:
    """The engine's files in the order in which they are applied: by name."""
    return sorted((ENGINES / engine).glob("*.sql"))


def connectors() -> dict[str, dict[str, str]]:
    """Every connector of engines/connect by name. Raises :class:`Misconfigured` for an unreadable file."""
    return {path.stem: _connector(path) for path in sorted((ENGINES / "connect").glob("*.json"))}


def _connector(path: Path) -> dict[str, str]:
    try:
        config: dict[str, str] = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise Misconfigured(f"connector file {path.name}, line {error.lineno}: {error.msg}") from None
    return config


def provision_connectors(settings: Settings) -> None:
    """Every connector applied, what had failed restarted, and all of them running."""
    connect = bootstrap.connect(settings)
    for name, config in connectors().items():
        _apply(connect, name, config)
    for name in connectors():
        connect.wait_running(name, CONNECTOR_SECONDS)


def _apply(connect: Connect, name: str, config: Mapping[str, str]) -> None:
    if not connect.apply(name, config):
        connect.restart_failed(name)


STEPS: dict[str, Callable[[Settings], Notes | None]] = {
    "PostgreSQL: roles, tables, publication": provision_postgres,
    "Kafka: topics": provision_kafka,
    "lake: tables": provision_lake,
    "object store: bucket for checkpoints": provision_checkpoints,
    "ClickHouse: tables": provision_clickhouse,
    "Snowflake: schemas and tables": provision_snowflake,
    "Kafka Connect: connectors": provision_connectors,
}
