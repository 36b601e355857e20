"""What is committed is what the contracts say."""

import re

from concord.render.files import rendered_files, stale_files, write_files
from concord.settings import PROJECT


def test_render_changes_nothing_in_the_committed_tree() -> None:
    assert stale_files(PROJECT) == []


def test_render_brings_a_fresh_tree_up_to_date_once(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert sorted(write_files(tmp_path)) == sorted(rendered_files())
    assert write_files(tmp_path) == []


def test_render_repairs_a_changed_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    write_files(tmp_path)
    (tmp_path / "engines/snowflake/10_raw.sql").write_text("drop database ECOMMERCE_DW;")
    assert write_files(tmp_path) == ["engines/snowflake/10_raw.sql"]


def test_generated_schemas_and_sources_leave_no_stray_file() -> None:
    rendered = {path for path in rendered_files() if path.startswith("schemas/")}
    assert {f"schemas/events/{path.name}" for path in (PROJECT / "schemas/events").glob("*.json")} == rendered


def test_semicolons_in_set_up_files_only_end_statements() -> None:
    for path, text in rendered_files().items():
        if path.endswith(".sql") and "postgres" not in path:
            assert re.findall(r";(?!\n)", text) == [], path
