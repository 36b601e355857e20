"""The lake: Iceberg tables behind a REST catalog, read and created through pyiceberg."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import TypeVar

import pyarrow as pa
import stamina
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchNamespaceError,
    NoSuchTableError,
    OAuthError,
    RESTError,
    ServerError,
    ServiceUnavailableError,
    TableAlreadyExistsError,
    UnauthorizedError,
)
from pyiceberg.expressions import AlwaysTrue, In
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import parse_transform
from requests import RequestException

from concord.contracts.model import Dataset
from concord.contracts.names import LAKE_NAMESPACE
from concord.contracts.position import Position, TopicPartition
from concord.contracts.tables import POSITION_KEY, lake_name
from concord.dialects import iceberg
from concord.errors import Misconfigured, Unavailable
from concord.gateways.lake.contents import contents
from concord.gateways.lake.files import (
    Figures,
    Stored,
    delete,
    figures_of,
    orphans,
    referenced,
    repeated_files,
    stored,
)
from concord.gateways.lake.locate import Located, located
from concord.gateways.lake.rewrite import Change, forget_history, replace, replaced
from concord.gateways.lake.snapshots import Snapshot, snapshots_of

T = TypeVar("T")

SPARK_CATALOG = "iceberg"
"""The catalog's name in Spark SQL: ``iceberg.ecommerce.orders_changes``."""

SPARK_EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
"""What a session must start with to call procedures; reading, appending and merging need it not."""

SCOPE = "PRINCIPAL_ROLE:ALL"
COMMIT_RETRIES = "commit.retry.num-retries"
POSITION = TOPIC, PARTITION, OFFSET = tuple(map(lake_name, POSITION_KEY))
EXTENT = (TOPIC, PARTITION, f"{OFFSET}_min", f"{OFFSET}_max")
TRANSIENT = (RequestException, ServerError, ServiceUnavailableError, OSError)
REFUSED = (UnauthorizedError, OAuthError)


SHOWN_OF_KEY = 4
"""Characters by which an access key is told from another one, and is of no use."""


class Lake:
    """One warehouse of one catalog, and its namespace ``ecommerce``. Nothing is connected before it is used."""

    def __init__(
        self, *, uri: str, warehouse: str, s3_endpoint: str, region: str, access_key: str, secret_key: str
    ) -> None:
        self.uri = uri
        self.warehouse = warehouse
        self._s3_endpoint = s3_endpoint
        self._region = region
        self._access_key = access_key
        self.identity = f"access key {access_key[:SHOWN_OF_KEY]}…"
        self._secret_key = secret_key

    def create_namespace(self) -> None:
        """Make sure that the namespace exists. A store that has just started may not have the table bucket yet."""
        for attempt in stamina.retry_context(on=_has_no_bucket_yet, attempts=None, timeout=30):
            with attempt:
                self._ask("create the namespace", lambda it: it.create_namespace_if_not_exists(LAKE_NAMESPACE))

    def create_table(self, dataset: Dataset) -> bool:
        """Make sure that the table exists with the contract's types, partition and properties; True if it is new.

        Raises :class:`Misconfigured` if one exists with other columns.
        """
        schema = schema_of(dataset)
        if self.has_table(dataset.name):
            compare(dataset.name, self._table(dataset.name).schema(), schema)
            return False
        try:
            self._ask(f"create {dataset.name}", lambda catalog: _create(catalog, dataset, schema))
        except TableAlreadyExistsError:
            return False
        return True

    def columns(self, name: str) -> list[tuple[str, str, bool]]:
        """(name, type, required) of each column, in the table's order."""
        return [(field.name, str(field.field_type), field.required) for field in self._table(name).schema().fields]

    def alter_table(self, dataset: Dataset, added: Sequence[tuple[str, str | None]], retyped: Sequence[str]) -> None:
        """Add columns, each behind another (None: first), and give others the contract's type. No file is touched."""
        self._ask(f"alter {dataset.name}", lambda _: _alter(self._table(dataset.name), dataset, added, retyped))

    def has_table(self, name: str) -> bool:
        return bool(self._ask(f"look for {name}", lambda catalog: catalog.table_exists(_identifier(name))))

    def tables(self) -> list[str]:
        """Names of the namespace's tables, in order; none if the namespace is not there."""
        try:
            found = self._ask("list tables", lambda catalog: catalog.list_tables(LAKE_NAMESPACE))
        except NoSuchNamespaceError:
            return []
        return sorted(name for *_, name in found)

    def drop_table(self, name: str) -> None:
        """Remove the table from the catalog; nothing happens if there is none."""
        if self.has_table(name):
            self._ask(f"drop {name}", lambda catalog: catalog.drop_table(_identifier(name)))

    def position(self, name: str, snapshot_id: int | None = None) -> Position:
        """Per (topic, partition) the highest offset that the table holds, now or in an older snapshot."""
        return self.extent(name, snapshot_id)[1]

    def extent(
        self, name: str, snapshot_id: int | None = None, row_filter: str | None = None
    ) -> tuple[Position, Position]:
        """Per (topic, partition) the lowest and the highest offset of the rows that ``row_filter`` keeps."""
        scan = self._table(name).scan(row_filter or AlwaysTrue(), POSITION, snapshot_id=snapshot_id)
        return self._ask(f"read positions of {name}", lambda _: extent_of(scan.to_arrow_batch_reader()))

    def current_snapshot(self, name: str) -> int | None:
        """The id of the newest snapshot, None for a table nothing was ever written to."""
        snapshot = self._table(name).current_snapshot()
        return None if snapshot is None else snapshot.snapshot_id

    def snapshots(self, name: str) -> list[Snapshot]:
        """The table's snapshots, oldest first."""
        return snapshots_of(self._table(name))

    def snapshot_at(self, name: str, instant: datetime) -> int:
        """The snapshot that was current then. Raises :class:`Misconfigured` if the table had none, or it has expired."""
        found = self._table(name).snapshot_as_of_timestamp(int(instant.timestamp() * 1000))
        if found is None:
            raise Misconfigured(f"lake table {name} has no snapshot as of {instant}", f"concord lake snapshots {name}")
        return found.snapshot_id

    def roll_back(self, name: str, snapshot_id: int) -> None:
        """Make an earlier snapshot the current one. Raises :class:`Misconfigured` if it is none of the table's line."""
        line = [snapshot.id for snapshot in self.snapshots(name) if snapshot.is_in_line]
        if snapshot_id not in line:
            raise Misconfigured(
                f"snapshot {snapshot_id} is not in the line of lake table {name}", f"concord lake snapshots {name}"
            )
        change = self._table(name).manage_snapshots().rollback_to_snapshot(snapshot_id)
        self._ask(f"roll {name} back", lambda _: change.commit())

    def figures(self, name: str) -> Figures:
        """Files, sizes, manifests, snapshots, and how long it takes to plan a read."""
        return self._ask(f"plan a read of {name}", lambda _: figures_of(self._table(name)))

    def stored_bytes(self, name: str) -> int:
        """Of every object below the table's location: old snapshots, metadata and what nothing refers to among them."""
        return self._ask(f"list objects of {name}", lambda _: sum(one.bytes for one in stored(self._table(name))))

    def repeated_files(self, name: str) -> list[str]:
        """Data files that are registered more than once."""
        return self._ask(f"list files of {name}", lambda _: repeated_files(self._table(name)))

    def repeated_rows(self, name: str, key: Sequence[str]) -> int:
        """Rows of which there is an earlier one with the same key."""
        rows = self.scan(name, key)
        return rows.num_rows - rows.group_by(list(key)).aggregate([]).num_rows

    def orphans(self, name: str, before: datetime) -> list[Stored]:
        """Objects older than ``before`` that no snapshot of the table needs."""
        return self._ask(f"list objects of {name}", lambda _: orphans(self._table(name), before))

    def delete_orphans(self, name: str, files: list[Stored]) -> None:
        """Remove what :meth:`orphans` has found."""
        self._ask(f"delete objects of {name}", lambda _: delete(self._table(name), files))

    def rewrite(self, name: str, change: Change, row_filter: str | None = None, apply: bool = True) -> int:
        """Change rows of the files in which ``row_filter`` may find some; how many differ. Rows keep their places.

        Without ``apply`` they are only counted. Writers may append meanwhile; old snapshots keep the old rows.
        """
        table = self._table(name)
        files = list(replaced(table, change, row_filter or AlwaysTrue(), apply))
        if apply and files:
            for attempt in stamina.retry_context(on=CommitFailedException, attempts=20, timeout=60):
                with attempt:
                    self._ask(f"replace files of {name}", lambda _: replace(self._table(name), files))
        return sum(each.rows for each in files)

    def forget_history(self, name: str) -> tuple[int, int]:
        """Leave only the current snapshot, and delete what it does not need; how many snapshots and files went."""
        return self._ask(f"forget the history of {name}", lambda _: forget_history(self._table(name)))

    def needed(self, name: str) -> set[str]:
        """Paths of the objects that some snapshot of the table needs."""
        return self._ask(f"list what {name} needs", lambda _: referenced(self._table(name)))

    def contents(self, name: str) -> Iterator[tuple[Stored, Iterator[pa.Table | bytes]]]:
        """Every object below the table's location, needed or not, with what is in it: rows, or the text of metadata."""
        table = self._table(name)
        for one in self._ask(f"list objects of {name}", lambda _: stored(table)):
            yield one, contents(table, one)

    def append_missing(self, name: str, rows: pa.Table, key: Sequence[str]) -> int:
        """Append the rows whose key the table lacks; how many. Of writers at once, one appends a key."""
        for attempt in stamina.retry_context(on=CommitFailedException, attempts=20, timeout=60):
            with attempt:
                return self._ask(f"append to {name}", lambda _: _append_missing(self._table(name), rows, key))
        raise AssertionError("a retry context ends in a result or an error")

    def row_count(self, name: str, snapshot_id: int | None = None) -> int:
        """Rows of the table, from its manifests: no data file is read."""
        scan = self._table(name).scan(snapshot_id=snapshot_id)
        return self._ask(f"count {name}", lambda _: scan.count())

    def scan(
        self,
        name: str,
        columns: Sequence[str] = ("*",),
        row_filter: str | None = None,
        snapshot_id: int | None = None,
        limit: int | None = None,
    ) -> pa.Table:
        """The rows that ``row_filter`` (Iceberg's expression language) keeps, as Arrow."""
        scan = self._table(name).scan(
            row_filter=row_filter or AlwaysTrue(), selected_fields=tuple(columns), snapshot_id=snapshot_id, limit=limit
        )
        return self._ask(f"read {name}", lambda _: scan.to_arrow())

    def locate(self, name: str, row_filter: str) -> list[Located]:
        """The data files with rows that ``row_filter`` keeps, each with the snapshot that brought it."""
        table = self._table(name)
        return self._ask(f"locate rows of {name}", lambda _: list(located(table, row_filter)))

    def spark_options(self) -> dict[str, str]:
        """Spark's settings for this catalog under the name ``iceberg``, fit for a session that runs already."""
        prefix = f"spark.sql.catalog.{SPARK_CATALOG}"
        options = {
            "type": "rest",
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            **self._catalog_options(),
            "s3.path-style-access": "true",
            "client.region": self._region,
        }
        return {
            prefix: "org.apache.iceberg.spark.SparkCatalog",
            **{f"{prefix}.{key}": value for key, value in options.items()},
        }

    @cached_property
    def _catalog(self) -> Catalog:
        return load_catalog(
            "lake",
            type="rest",
            **self._catalog_options(),
            **{"s3.region": self._region, "s3.force-virtual-addressing": "false"},
        )

    def _catalog_options(self) -> dict[str, str]:
        """What pyiceberg and Iceberg's Java client spell alike."""
        return {
            "uri": self.uri,
            "warehouse": self.warehouse,
            "credential": f"{self._access_key}:{self._secret_key}",
            "oauth2-server-uri": f"{self.uri}/v1/oauth/tokens",
            "scope": SCOPE,
            "s3.endpoint": self._s3_endpoint,
            "s3.access-key-id": self._access_key,
            "s3.secret-access-key": self._secret_key,
        }

    def _table(self, name: str) -> Table:
        try:
            return self._ask(f"open {name}", lambda catalog: catalog.load_table(_identifier(name)))
        except NoSuchTableError:
            known = ", ".join(dataset.name for dataset in iceberg.LAKE_DATASETS)
            hint = "`concord up` creates it" if name in known else f"its tables are {known}"
            raise Misconfigured(f"the lake at {self.uri} has no table {name}", hint) from None

    def _ask(self, what: str, call: Callable[[Catalog], T]) -> T:
        """The answer; transient errors are tried again for about half a minute."""
        try:
            for attempt in stamina.retry_context(on=TRANSIENT, attempts=5, timeout=30):
                with attempt:
                    return call(self._catalog)
        except REFUSED as error:
            raise Misconfigured(f"the lake at {self.uri} refuses the key: {error}", "check the secrets s3_*") from error
        except TRANSIENT as error:
            raise Unavailable(f"the lake at {self.uri} could not {what}: {error}", "see `concord status`") from error
        raise AssertionError("a retry context ends in a result or an error")


def _has_no_bucket_yet(error: Exception) -> bool:
    return isinstance(error, RESTError) and "table bucket" in str(error)


def _identifier(name: str) -> tuple[str, str]:
    return LAKE_NAMESPACE, name


def schema_of(dataset: Dataset) -> Schema:
    fields = [
        {"id": number, "name": name, "type": type_name, "required": required}
        for number, (name, type_name, required) in enumerate(iceberg.column_types(dataset), start=1)
    ]
    return Schema.model_validate({"type": "struct", "fields": fields})


def _create(catalog: Catalog, dataset: Dataset, schema: Schema) -> None:
    catalog.create_table(
        _identifier(dataset.name),
        schema,
        partition_spec=partitions(dataset, schema),
        properties=dict(iceberg.TABLE_PROPERTIES),
    )


def _alter(table: Table, dataset: Dataset, added: Sequence[tuple[str, str | None]], retyped: Sequence[str]) -> None:
    declared = schema_of(dataset)
    with table.update_schema() as update:
        for name in retyped:
            update.update_column(name, declared.find_type(name), required=declared.find_field(name).required)
        for name, after in added:
            update.add_column(name, declared.find_type(name))
            update.move_after(name, after) if after else update.move_first(name)


def partitions(dataset: Dataset, schema: Schema) -> PartitionSpec:
    partition = iceberg.partition_transform(dataset)
    if partition is None:
        return PartitionSpec()
    column, transform = partition
    source = schema.find_field(column).field_id
    return PartitionSpec(
        PartitionField(source, PARTITION_FIELD_ID_START, parse_transform(transform), f"{column}_{transform}")
    )


def compare(name: str, there: Schema, declared: Schema) -> None:
    """Types and order; a column that became optional since is no difference that matters."""
    is_now = [(field.name, str(field.field_type)) for field in there.fields]
    wanted = [(field.name, str(field.field_type)) for field in declared.fields]
    if is_now != wanted:
        different = sorted({column for column, _ in {*is_now} ^ {*wanted}}) or ["their order"]
        raise Misconfigured(
            f"lake table {name} has other columns than its contract: {', '.join(different)}",
            "migrate the table, or `concord reset`",
        )


def _append_missing(table: Table, rows: pa.Table, key: Sequence[str]) -> int:
    """The commit is refused if the table has moved on since it was read here."""
    first, *_ = key
    same = In(first, set(rows[first].to_pylist()))  # type: ignore[misc, call-arg, arg-type]  # as its manual has it
    held = table.scan(row_filter=same, selected_fields=tuple(key)).to_arrow()
    keys = {tuple(row[name] for name in key) for row in held.to_pylist()}
    lacking = [row for row in rows.to_pylist() if tuple(row[name] for name in key) not in keys]
    if lacking:
        # The client would try again by itself on the newer table, without looking for the keys.
        table.metadata.properties[COMMIT_RETRIES] = "0"
        table.append(pa.Table.from_pylist(lacking, schema=table.schema().as_arrow()))
    return len(lacking)


def extent_of(batches: Iterable[pa.RecordBatch]) -> tuple[Position, Position]:
    """Lowest and highest offsets. One batch of rows at a time: a change log need not fit in memory."""
    lowest: dict[TopicPartition, int] = {}
    highest: dict[TopicPartition, int] = {}
    for batch in batches:
        rows = pa.Table.from_batches([batch]).group_by([TOPIC, PARTITION])
        found = rows.aggregate([(OFFSET, "min"), (OFFSET, "max")]).to_pydict()
        for topic, partition, low, high in zip(*(found[name] for name in EXTENT), strict=True):
            place = TopicPartition(topic, partition)
            lowest[place] = min(low, lowest.get(place, low))
            highest[place] = max(high, highest.get(place, high))
    return Position(lowest), Position(highest)
