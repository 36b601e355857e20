"""What is committed is what the contracts say."""

from pathlib import Path

from concord.render.files import rendered_files, stale_files, write_files
from concord.settings import PROJECT


def test_render_changes_nothing_in_the_committed_tree() -> None:
    assert stale_files(PROJECT) == []


def test_render_brings_a_fresh_tree_up_to_date_once(tmp_path: Path) -> None:
    assert sorted(write_files(tmp_path)) == sorted(rendered_files())
    assert write_files(tmp_path) == []


def test_render_repairs_a_changed_file(tmp_path: Path) -> None:
    write_files(tmp_path)
    (tmp_path / "engines/snowflake/10_raw.sql").write_text("drop database ECOMMERCE_DW;")
    assert write_files(tmp_path) == ["engines/snowflake/10_raw.sql"]


def test_generated_schemas_and_sources_leave_no_stray_file() -> None:
    rendered = {path for path in rendered_files() if path.startswith("schemas/")}
    assert {f"schemas/events/{path.name}" for path in (PROJECT / "schemas/events").glob("*.json")} == rendered
