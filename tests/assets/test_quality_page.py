"""The quality report in a real browser that reaches no network."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from concord.quality import page
from tests.quality_report import report, rule

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"
BROWSER_SECONDS = 120


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
def test_report_opens_in_a_browser_without_network(tmp_path: Path) -> None:
    path = page.write(
        report(rule("order_items.quantity.above_zero", 1336), rule("orders.id.unique", 0)), tmp_path / "r.html"
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", OFFLINE, f"--user-data-dir={tmp_path / 'profile'}"]
    picture = tmp_path / "page.png"
    done = subprocess.run(
        [str(BROWSER), *options, f"--screenshot={picture}", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=BROWSER_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r'id="verdict" class="good">No critical rule fails', done.stdout)
    assert "order_items.quantity.above_zero" in done.stdout
    assert done.stdout.count("<svg") == 3
    assert picture.stat().st_size > 10_000
