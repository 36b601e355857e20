"""How a table of the lake is named on the command line."""

from typing import Annotated

import typer

from concord import bootstrap
from concord.contracts.model import Dataset
from concord.dialects.iceberg import LAKE_DATASETS
from concord.gateways.lake import Lake
from concord.settings import load_settings

DATASETS = {dataset.name: dataset for dataset in LAKE_DATASETS}


def _known(name: str) -> str:
    if name not in DATASETS:
        raise typer.BadParameter(f"{name} is none of {', '.join(DATASETS)}")
    return name


def _all_known(names: list[str] | None) -> list[str]:
    return [_known(name) for name in names or []]


Name = Annotated[str, typer.Argument(callback=_known, metavar="TABLE", help="A table of the lake.")]
Names = Annotated[
    list[str] | None, typer.Argument(callback=_all_known, metavar="[TABLE]...", help="All if none is named.")
]
Hours = Annotated[float, typer.Option("--older-than", min=0, help="Hours.")]


def chosen(names: list[str] | None) -> list[Dataset]:
    """The named tables, or all."""
    return [DATASETS[name] for name in names or DATASETS]


def lake_of_settings() -> Lake:
    return bootstrap.lake(load_settings())
