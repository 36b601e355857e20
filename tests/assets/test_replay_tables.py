"""Every table of the speed layer is emptied by a replay, or is declared to stay."""

import re

from concord.settings import PROJECT
from concord.speed.replay.tables import BY_QUERY, KEPT, OWN


def test_every_table_is_somebodys() -> None:
    files = (PROJECT / "engines" / "clickhouse").glob("*.sql")
    created = {
        name for file in files for name in re.findall(r"create table if not exists \w+\.(\w+)", file.read_text())
    }

    declared = [*(name for own in OWN.values() for name in own), *BY_QUERY, *KEPT]

    assert len(created) > 20
    assert sorted(declared) == sorted(created)
