"""The graph as OpenLineage events, for catalogues that speak it: a job per step, column by column.

Datasets are named as https://openlineage.io/docs/spec/naming has it: namespace of the store, name within it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.event_v2 import InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import column_lineage_dataset as columns
from openlineage.client.facet_v2 import schema_dataset as schemas
from openlineage.client.serde import Serde

from concord.lineage.graph import ROWS, Derivation, Field, Graph

JOBS = "concord"
"""Namespace of every job."""
PRODUCER = "https://concord.invalid/lineage"
"""The specification demands an address; who made the events is all that it says."""
WHOLLY = "INDIRECT"
"""How rows as such bear on a dataset: by how many there are."""
BATCH_STORES = ("raw", "staging", "intermediate", "marts")


@dataclass(frozen=True)
class Store:
    """Where datasets of one kind lie: namespace, and what stands before each name."""

    namespace: str
    prefix: str = ""


Stores = Mapping[str, Store]
"""By the first part of a dataset's name."""


@dataclass
class Step:
    """One job: what it makes of what."""

    name: str
    made: dict[str, list[Derivation]] = field(default_factory=dict)

    @property
    def reads(self) -> list[str]:
        """Datasets, each once, without those that the job makes itself on the way."""
        parents = (parent.dataset for known in self._all() for parent in known.parents)
        return sorted({*parents} - {*self.made})

    @property
    def is_of_batch(self) -> bool:
        return any(dataset.split(".", 1)[0] in BATCH_STORES for dataset in self.made)

    def _all(self) -> Iterator[Derivation]:
        for derivations in self.made.values():
            yield from derivations


def steps(graph: Graph) -> list[Step]:
    """Every job, in the order in which data flow."""
    found: dict[str, Step] = {}
    for known in graph.derivations.values():
        step = found.setdefault(known.step, Step(known.step))
        step.made.setdefault(known.field.dataset, []).append(known)
    return list(found.values())


def job_events(graph: Graph, stores: Stores, at: datetime) -> Iterator[JobEvent]:
    """What every job makes of what, whether or not it runs just now."""
    naming = Naming(stores)
    for step in steps(graph):
        yield JobEvent(
            eventTime=at.isoformat(),
            producer=PRODUCER,
            job=Job(JOBS, step.name),
            inputs=naming.inputs(step),
            outputs=naming.outputs(step),
        )


def run_events(
    graph: Graph, stores: Stores, batch_id: str, begun_at: datetime, ended_at: datetime
) -> Iterator[RunEvent]:
    """Start and end of each job of one published batch. The same batch has the same runs, however often it is told."""
    naming = Naming(stores)
    for step in filter(lambda step: step.is_of_batch, steps(graph)):
        run = Run(str(uuid5(NAMESPACE_URL, f"{PRODUCER}/{batch_id}/{step.name}")))
        for state, at in ((RunState.START, begun_at), (RunState.COMPLETE, ended_at)):
            yield RunEvent(
                eventTime=at.isoformat(),
                producer=PRODUCER,
                eventType=state,
                run=run,
                job=Job(JOBS, step.name),
                inputs=naming.inputs(step),
                outputs=naming.outputs(step),
            )


def as_document(event: JobEvent | RunEvent) -> dict[str, Any]:
    """The event in JSON's types."""
    return Serde.to_dict(event)


@dataclass(frozen=True)
class Naming:
    """Datasets by the names that other tools know them by."""

    stores: Stores

    def of(self, dataset: str) -> tuple[str, str]:
        """Namespace and name. A store that is not given is named as it is here."""
        store, _, name = dataset.partition(".")
        place = self.stores.get(store, Store(f"{JOBS}://{store}"))
        return place.namespace, f"{place.prefix}{name}"

    def inputs(self, step: Step) -> list[InputDataset]:
        return [InputDataset(*self.of(dataset)) for dataset in step.reads]

    def outputs(self, step: Step) -> list[OutputDataset]:
        return [self._output(dataset, known) for dataset, known in step.made.items()]

    def _output(self, dataset: str, derivations: Sequence[Derivation]) -> OutputDataset:
        made = [known for known in derivations if known.field.column != ROWS]
        fields = [schemas.SchemaDatasetFacetFields(name=known.field.column) for known in made]
        lineage = columns.ColumnLineageDatasetFacet(
            fields={known.field.column: self._column(known) for known in made if known.parents},
            dataset=self._wholly(derivations),
        )
        namespace, name = self.of(dataset)
        facets = {"schema": schemas.SchemaDatasetFacet(fields=fields), "columnLineage": lineage}
        return OutputDataset(namespace, name, facets=facets)

    def _column(self, known: Derivation) -> columns.Fields:
        subtype = "TRANSFORMATION" if known.how else "IDENTITY"
        how = columns.Transformation("DIRECT", subtype, known.how or None)
        parents = [parent for parent in known.parents if parent.column != ROWS]
        return columns.Fields([self._field(parent, how) for parent in parents])

    def _wholly(self, derivations: Iterable[Derivation]) -> list[columns.InputField]:
        """Datasets by whose rows this one's are told."""
        parents = {parent for known in derivations for parent in known.parents if parent.column == ROWS}
        return [self._field(parent, columns.Transformation(WHOLLY)) for parent in sorted(parents)]

    def _field(self, parent: Field, how: columns.Transformation) -> columns.InputField:
        return columns.InputField(*self.of(parent.dataset), parent.column, [how])
