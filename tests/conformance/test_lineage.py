"""Lineage of what really runs: the connectors' files, the contracts, and the models as dbt compiles them."""

import json
from collections.abc import Iterator

import pytest
import typer

from concord.batch.models import PUBLISHED
from concord.cli.lineage import lineage, lineage_graph
from concord.contracts.marts import stamp
from concord.lineage.computed import COMPUTED, FROM_AS_OF
from concord.lineage.graph import Field, Graph
from concord.settings import Settings, load_settings
from tests.conformance.snowflake.server import Server

pytestmark = pytest.mark.conformance

DATASETS = {f"{schema.lower()}.{dataset.name}": dataset for schema, dataset in PUBLISHED}
LISTED = {"marts.customer_tier_analytics.customer_tier"}
"""Every day has a row for each tier, whoever is in it."""
REVENUE = Field("marts.daily_business_metrics", "total_revenue")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose models have been compiled against a warehouse, which has gone since."""
    home = tmp_path_factory.mktemp("lineage")
    (home / "secrets").mkdir()
    (home / "secrets" / "snowflake_password").write_text("not asked for")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONCORD_HOME", str(home))
        with Server(home / "data") as server:
            environment.setenv("CONCORD_SNOWFLAKE__PORT", str(server.port))
            lineage_graph(load_settings())
        yield load_settings()


@pytest.fixture(scope="module")
def graph(own: Settings) -> Graph:
    return lineage_graph(own)


@pytest.mark.parametrize("name", DATASETS)
def test_published_columns_are_those_of_the_contract_and_reach_a_source_or_are_declared(
    graph: Graph, name: str
) -> None:
    columns = [Field(name, column) for column in DATASETS[name].names]
    assert graph.datasets()[name] == [column.column for column in columns]
    assert {str(column): graph.loose_ends(column) for column in columns if graph.loose_ends(column)} == {}
    without_source = {str(column) for column in columns if not graph.sources(column)}
    assert without_source == {f"{name}.{stamp(DATASETS[name])}"} | ({*COMPUTED, *LISTED} & {*map(str, columns)})


def test_no_column_of_any_store_has_a_loose_end(graph: Graph) -> None:
    assert [end for column in graph.derivations for end in graph.loose_ends(column)] == []


def test_nothing_is_declared_to_be_computed_that_is_not(graph: Graph) -> None:
    computed = {str(known.field) for known in graph.derivations.values() if known.is_computed}
    assert {*COMPUTED} - computed == set()


def test_revenue_comes_from_what_orders_cost_and_how_they_stand(graph: Graph) -> None:
    sources = {str(source) for source in graph.sources(REVENUE)}
    assert sources >= {"postgres.orders.total_amount", "postgres.orders.status"}
    assert not [source for source in sources if source.startswith("clickstream")]
    steps = [known.step for known in graph.upstream(REVENUE)]
    assert {"mart_daily_business_metrics", "int_order_analytics", "base_orders", "lake-orders-sink"} <= {*steps}


def test_what_an_order_costs_goes_into_revenue_everywhere(graph: Graph) -> None:
    below = {str(field) for field in graph.downstream(Field("postgres.orders", "total_amount"))}
    assert below >= {
        str(REVENUE),
        "marts.monthly_kpis.total_revenue",
        "marts.customer_analytics.total_spent",
        "speed.orders_realtime.total_amount",
        "raw.orders.total_amount",
    }


def test_only_the_stamp_of_a_row_is_the_batchs_time(graph: Graph) -> None:
    stamps = {known.field for known in graph.derivations.values() if known.reason == FROM_AS_OF}
    assert stamps == {Field(name, stamp(dataset)) for name, dataset in DATASETS.items()}


def test_command_draws_a_column_and_tells_it_as_json(own: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    lineage(str(REVENUE))
    drawn = capsys.readouterr().out
    assert drawn.startswith(str(REVENUE))
    assert "postgres.orders.total_amount" in drawn

    lineage(str(REVENUE).upper(), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["column"], document["unresolved"]) == (str(REVENUE), [])
    assert "postgres.orders.status" in document["sources"]


def test_command_tells_a_dataset_column_by_column(own: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    lineage(REVENUE.dataset, as_json=True)
    columns = json.loads(capsys.readouterr().out)["columns"]
    assert [one["column"].rpartition(".")[2] for one in columns] == [*DATASETS[REVENUE.dataset].names]
    lineage(as_json=True)
    assert {*DATASETS} <= {*json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("marts.daily_business_metrics.total_revenu", "did you mean total_revenue?"),
        ("marts.daily_business_metric", "did you mean marts.daily_business_metrics?"),
        ("flubber", "there is no dataset 'flubber'; `concord lineage` lists the datasets"),
    ],
)
def test_command_refuses_what_it_does_not_know(own: Settings, what: str, says: str) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        lineage(what)
    assert says in refused.value.message
