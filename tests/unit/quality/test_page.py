import re

from concord.quality.page import html
from tests.quality_report import report, rule


def test_page_asks_nobody_for_anything() -> None:
    page = html(report(rule("orders.total_amount.not_negative", 3)))
    assert re.findall(r"<(?:script|link|img|iframe)\b", page) == []
    assert [address for address in re.findall(r"(?:src|href)=\"([^\"]*)\"", page) if not address.startswith("#")] == []
    assert "url(http" not in page
    assert page.count("<svg") == 3


def test_what_the_data_hold_is_text_and_never_markup() -> None:
    page = html(report(rule("users.email.valid", 1)))
    assert "<b>&" not in page
    assert "4711: &lt;b&gt;&amp;" in page


def test_critical_rules_that_fail_and_layers_that_disagree_are_named_first() -> None:
    failed = rule("orders.id.unique", 2, severity="critical", has_failed=True, layers_disagree=True)
    page = html(report(failed))
    assert "1 critical rules fail: orders.id.unique" in page
    assert "Lake and RAW disagree on orders.id.unique" in page


def test_a_report_in_which_everything_holds_is_a_page_too() -> None:
    page = html(report(rule("orders.id.unique", 0)))
    assert "No critical rule fails." in page
