"""The page of benchmarks is what its results make of it."""

import json

from concord.bench.page import PAGE, text
from concord.bench.result import FOLDER


def test_the_page_is_written_from_the_results_beside_it() -> None:
    documents = [json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))]
    assert (FOLDER / PAGE).read_text() == text(documents), "run `concord bench report`"
