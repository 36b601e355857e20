"""``concord quality`` on the running stack: a file with known faults, from the shop to the report."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from concord.contracts.tables import ORDER_ITEMS
from concord.gateways.lake import Lake
from concord.gateways.postgres import Postgres
from concord.gateways.snowflake import Snowflake
from concord.settings import PROJECT, child_environment
from tests import retail
from tests.landed import landed_changes
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

LAKE_SECONDS = 180
COMMAND_SECONDS = 600
LINES = (
    retail.line(invoice="Q00001", sku="Q85123A", customer=970001),
    retail.line(invoice="Q00001", sku="POST", price=-2.5, customer=970001),
    retail.line(invoice="Q00002", sku="Q85123A", quantity=-10, price=0.0, customer=None),
    retail.line(invoice="A970001", sku="Q85123A", customer=None),
)
FAULTS = {
    "orders.external_id.no_adjustment": {"A970001"},
    "orders.user_id.filled": {"Q00002", "A970001"},
    "order_items.quantity.above_zero": {"Q00002"},
    "order_items.unit_price.above_zero": {"Q00001", "Q00002"},
    "order_items.unit_price.not_negative": {"Q00001"},
    "order_items.category.article": {"Q00001"},
    "order_items.user_id.filled": {"Q00002", "A970001"},
}
"""Rule → invoices with a row that breaks it."""


def concord(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "concord", *arguments, "--json"],
        cwd=PROJECT,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def own_lines(postgres: Postgres) -> dict[int, str]:
    rows = postgres.query(
        "select order_items.id, external_id from order_items inner join orders on orders.id = order_id "
        "where external_id = any(%s)",
        ([line[0] for line in LINES],),
    )
    return {row[0]: row[1] for row in rows}


def own_orders(postgres: Postgres) -> dict[int, str]:
    rows = postgres.query(
        "select id, external_id from orders where external_id = any(%s)", ([line[0] for line in LINES],)
    )
    return {row[0]: row[1] for row in rows}


def test_known_faults_of_a_file_are_found_at_every_layer_once(
    tmp_path: Path, postgres: Postgres, lake: Lake, snowflake: Snowflake
) -> None:
    concord("load", "online-retail", str(retail.parquet(tmp_path, *LINES)), "--no-clickstream")
    lines, orders = own_lines(postgres), own_orders(postgres)
    newest = max(lines)
    eventually(lambda: landed_changes(lake, ORDER_ITEMS, newest), LAKE_SECONDS, every=1)
    batch_id = concord("batch", "run")["batch_id"]

    page = tmp_path / "report.html"
    report = concord("quality", "report", "--html", str(page))
    assert (report["batch_id"], report["layers"], report["failed"]) == (batch_id, ["lake", "RAW", "STAGING"], [])
    assert report["disagreeing"] == []
    assert "order_items.quantity.above_zero" in page.read_text()

    kept = violations(snowflake, batch_id)
    for rule, invoices in FAULTS.items():
        invoice_of = lines if rule.startswith("order_items") else orders
        for layer in ("lake", "RAW", *(["STAGING"] if "external_id" not in rule else [])):
            found = {invoice_of.get(int(key)) for key in kept[rule, layer]} - {None}
            assert found == invoices, (rule, layer)

    concord("quality", "check", "--batch-id", batch_id)
    assert violations(snowflake, batch_id) == kept
    flagged = "select rules from QUALITY.flagged_rows where batch_id = %s and layer = 'RAW' and dataset = 'orders' and row_key = %s"
    adjustment = next(str(key) for key, invoice in orders.items() if invoice == "A970001")
    assert snowflake.query(flagged, (batch_id, adjustment)) == [
        ("orders.external_id.no_adjustment, orders.user_id.filled",)
    ]


def violations(snowflake: Snowflake, batch_id: str) -> dict[tuple[str, str], list[str]]:
    """Keys by rule and layer, in order; a key that were there twice would be twice."""
    kept: dict[tuple[str, str], list[str]] = {}
    for rule, layer, key in snowflake.query(
        "select rule, layer, row_key from QUALITY.violations where batch_id = %s order by rule, layer, row_key",
        (batch_id,),
    ):
        kept.setdefault((rule, layer), []).append(key)
    return kept
