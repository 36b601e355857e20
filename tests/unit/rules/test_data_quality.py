from concord.contracts.expectations import Filled, Layer, Matches, MatchesNot, Refers, Severity, Unique
from concord.contracts.tables import TABLES, as_change
from concord.quality import layers
from concord.rules.data_quality import CHECKS, FRESHNESS, MEASURES, RULES


def test_every_check_has_a_name_of_its_own_that_begins_with_its_dataset() -> None:
    assert len(CHECKS) == len(RULES) + len(FRESHNESS) + len(MEASURES)
    assert [name for name, check in CHECKS.items() if not name.startswith(f"{check.dataset}.")] == []


def test_what_the_contract_says_of_a_column_is_a_rule() -> None:
    for table in TABLES.values():
        for column in table.columns:
            own = [rule for rule in RULES.values() if (rule.dataset, rule.column) == (table.name, column.name)]
            critical = {type(rule.expectation) for rule in own if rule.severity is Severity.CRITICAL}
            assert (Filled in critical) == (not column.nullable)
            if column.references:
                assert Refers(column.references.split(".")[0]) in [rule.expectation for rule in own]


def test_every_key_and_every_position_is_unique_critically() -> None:
    for dataset in (*TABLES.values(), *map(as_change, TABLES.values())):
        rules = [rule for rule in RULES.values() if rule.expectation == Unique(dataset.key)]
        assert [rule.severity for rule in rules if rule.dataset == dataset.name] == [Severity.CRITICAL]


def test_every_layer_and_dimension_has_rules_and_every_rule_a_layer() -> None:
    checked = {layer: {rule.name for rule in layers.rules(layer)} for layer in Layer}
    assert set.union(*checked.values()) == {*RULES}
    assert checked[Layer.LAKE] == checked[Layer.RAW]
    assert {measure.name for measure in layers.measures(Layer.STAGING)} == {*MEASURES}


def test_patterns_are_anchored_and_read_alike_by_every_engine() -> None:
    patterns = [
        rule.expectation.pattern for rule in RULES.values() if isinstance(rule.expectation, Matches | MatchesNot)
    ]
    assert patterns
    assert [p for p in patterns if not (p.startswith("^") and p.endswith("$")) or "\\" in p] == []


def test_no_rule_keeps_a_personal_value() -> None:
    personal = [rule for rule in layers.rules(Layer.RAW) if layers.column_of(Layer.RAW, rule).personal]
    assert personal
    for rule in personal:
        query = layers.violations(Layer.RAW).split(f"'{rule.name}' as rule")[1].split(" from ")[0]
        assert f"row_.{rule.column}" not in query
