import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from concord.batch.build import Dbt, Fresh, fresh, judge, variables
from concord.batch.extent import Extent
from concord.contracts.position import Position
from concord.errors import ContractViolation, Misconfigured, Unavailable


def result(name: str, status: str, failures: int = 0, message: str = "") -> dict[str, object]:
    return {"unique_id": name, "status": status, "failures": failures, "message": message}


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MODEL = result("model.concord.stg_users_enhanced", "success")
PASSED = result("test.concord.unique_id.1", "pass")


def test_models_passed_tests_and_warnings_are_counted() -> None:
    built = judge([MODEL, PASSED, PASSED, result("test.concord.business_rules.2", "warn", 1340)])
    assert (built.models, built.tests_passed, built.warnings) == (1, 2, ("business_rules (1,340 rows)",))


def test_failed_critical_test_ends_the_batch_by_name() -> None:
    failed = result("test.concord.revenue_is_conserved_from_raw_to_marts.3", "fail", 2)
    with pytest.raises(ContractViolation, match=r"1 critical tests failed: revenue_is_conserved\S+ \(2 rows\)"):
        judge([MODEL, failed, result("model.concord.mart_daily_business_metrics", "skipped")])


def test_model_that_cannot_be_built_is_named_with_its_reason() -> None:
    with pytest.raises(Misconfigured, match="could not build stg_users_enhanced: no such column"):
        judge([result("model.concord.stg_users_enhanced", "error", message="no such column"), PASSED])


@pytest.mark.parametrize("said", ["250001 (08001): None: Failed to connect to DB", "290404 (08001): 404 Not Found"])
def test_a_warehouse_that_went_away_says_nothing_against_the_model(said: str) -> None:
    with pytest.raises(Unavailable, match="could not build stg_users_enhanced"):
        judge([result("model.concord.stg_users_enhanced", "error", message=f"Database Error\n  {said}")])


def test_a_source_says_when_it_was_loaded() -> None:
    told = {"unique_id": "source.concord.raw.orders", "max_loaded_at": "2026-01-01T12:00:00+00:00"}
    found = fresh({**told, "max_loaded_at_time_ago_in_s": 7200.5, "status": "warn"})
    assert found == Fresh("RAW.orders", NOON, 7200.5, "warn")


def test_a_source_without_a_row_was_never_loaded() -> None:
    told = {"unique_id": "source.concord.raw.users", "max_loaded_at": "0001-01-01T00:00:00+00:00"}
    assert fresh({**told, "max_loaded_at_time_ago_in_s": 6e10, "status": "error"}).loaded_at is None


def test_a_source_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match=r"source\.concord\.raw\.users: no such table"):
        fresh({"unique_id": "source.concord.raw.users", "error": "no such table", "status": "runtime error"})


def test_variables_carry_time_in_utc_and_position() -> None:
    as_of = datetime(2026, 1, 1, 14, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
    document = json.loads(variables(as_of, Extent(Position.of([("ecommerce.public.orders", 1, 7)]))))
    assert document == {"as_of": "2026-01-01 12:30:00.250", "position": {"ecommerce.public.orders": {"1": 7}}}
    assert as_of.astimezone(UTC).hour == 12


def dbt_that(script: str, folder: Path) -> Dbt:
    """A "dbt" that is a module of one line."""
    package = folder / "dbt" / "cli"
    package.mkdir(parents=True)
    for name in (folder / "dbt", package):
        (name / "__init__.py").touch()
    (package / "main.py").write_text(script)
    return Dbt(folder, folder, {"PYTHONPATH": str(folder)})


def test_dbt_that_breaks_off_publishes_nothing_of_what_it_did(tmp_path: Path) -> None:
    results = tmp_path / "target" / "run_results.json"
    results.parent.mkdir()
    script = f"import json, sys; json.dump({{'results': []}}, open({str(results)!r}, 'w')); sys.exit('cut short')"
    with pytest.raises(Unavailable, match=r"broke off \(exit 1\):\ncut short"):
        dbt_that(script, tmp_path).build(NOON, Extent(Position()))


def test_a_project_that_dbt_cannot_read_is_to_be_set_right(tmp_path: Path) -> None:
    script = "print('12:00:00  Running'); raise SystemExit('Compilation Error in model mart_funnel\\n  unexpected }')"
    with pytest.raises(Misconfigured, match=r"cannot use the project:\nCompilation Error in model mart_funnel\n"):
        dbt_that(script, tmp_path).build(NOON, Extent(Position()))


def test_results_of_an_earlier_run_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    results = tmp_path / "target" / "run_results.json"
    results.parent.mkdir()
    results.write_text('{"results": []}')
    with pytest.raises(Unavailable, match="broke off"):
        dbt_that("raise SystemExit(0)", tmp_path).build(NOON, Extent(Position()))


def test_dbt_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    dbt_that("def cli():\n    import time\n    time.sleep(600)", tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-m", "concord.batch.dbt_process"],
        env={"PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
    )
    assert child.stdin
    child.stdin.close()
    assert child.wait(timeout=60) == 1


def test_dbt_that_ends_by_itself_ends_well(tmp_path: Path) -> None:
    done = dbt_that("def cli():\n    print('done')", tmp_path).run("build")
    assert (done.code, done.output.strip()) == (0, "done")
