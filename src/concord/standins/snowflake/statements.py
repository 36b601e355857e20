"""What is changed in a statement's text before it is parsed.

Statements about things that a local engine does not have (warehouses, roles, policies …) succeed
and do nothing; a few spellings that the parser does not know become ones it knows.
"""

import re
from dataclasses import dataclass

SUCCESS = "SELECT 'Statement executed successfully.' AS \"status\""

LEAD = r"^\s*(?:/\*.*?\*/\s*|--[^\n]*(?:\n|$)\s*)*"
"""What may stand before the first word: people put comments there."""
TAIL = r"\s*;?\s*(?:/\*.*?\*/\s*|--[^\n]*\s*)*;?\s*$"
"""What may stand behind the last word: dbt puts a comment there."""
_OBJECT = (
    r"(?:ROLE|USER|WAREHOUSE|RESOURCE\s+MONITOR|NETWORK\s+(?:POLICY|RULE)|STORAGE\s+INTEGRATION|EXTERNAL\s+VOLUME|"
    r"MASKING\s+POLICY|ROW\s+ACCESS\s+POLICY|SESSION\s+POLICY|PASSWORD\s+POLICY|TASK|STREAM|PIPE|ALERT|TAG)\b"
)
_TABLE_OR_VIEW = (
    r"(?:(?:DYNAMIC|ICEBERG|MATERIALIZED|EXTERNAL|TRANSIENT)\s+)?(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+)?\S+\s+"
)
_NOTHING_TO_DO = (
    r"(?:GRANT|REVOKE)\b",
    rf"(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?{_OBJECT}",
    r"ALTER\s+SESSION\s+(?!.*\bAUTOCOMMIT\b)",
    r"ALTER\s+(?:ACCOUNT|DATABASE|SCHEMA)\s+\S+\s+(?:SET|UNSET)\b",
    rf"ALTER\s+{_TABLE_OR_VIEW}(?:SET|UNSET)\s+(?!COMMENT\b|DATA\s+TYPE\b)",
    rf"ALTER\s+{_TABLE_OR_VIEW}(?:ALTER|MODIFY)\s+(?:COLUMN\s+)?\S+\s+(?:COMMENT|SET\s+MASKING|UNSET\s+MASKING|SET\s+TAG)\b",
    rf"ALTER\s+{_TABLE_OR_VIEW}(?:ADD|DROP)\s+(?:CONSTRAINT|PRIMARY\s+KEY|UNIQUE|FOREIGN\s+KEY|ROW\s+ACCESS)\b",
    rf"ALTER\s+{_TABLE_OR_VIEW}(?:REFRESH|SUSPEND|RESUME)\b",
    r"CALL\s+SYSTEM\$",
)
_NO_OPERATION = re.compile(f"{LEAD}(?:{'|'.join(_NOTHING_TO_DO)})", re.IGNORECASE | re.DOTALL)

_TEMPORARY = re.compile(
    rf"({LEAD}CREATE\s+(?:OR\s+REPLACE\s+)?)(?:LOCAL\s+|GLOBAL\s+)?TEMP(?:ORARY)?\s+"
    rf"((?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?)(?P<name>(?:\"[^\"]+\"|[\w$.])+)",
    re.IGNORECASE | re.DOTALL,
)
_VIEW = re.compile(rf"{LEAD}CREATE\s+(?:OR\s+REPLACE\s+)?(?:SECURE\s+|RECURSIVE\s+)*VIEW\s", re.IGNORECASE | re.DOTALL)
_VIEW_COMMENT = re.compile(r"COMMENT\s*=?\s*\$\$.*?\$\$", re.IGNORECASE | re.DOTALL)
_DROP_PLAIN = re.compile(rf"({LEAD}DROP\s+)(?:DYNAMIC|ICEBERG|HYBRID|EXTERNAL)\s+(TABLE\s)", re.IGNORECASE | re.DOTALL)
_DROP_MATERIALIZED = re.compile(rf"({LEAD}DROP\s+)MATERIALIZED\s+(VIEW\s)", re.IGNORECASE | re.DOTALL)
_START = re.compile(rf"{LEAD}START\s+TRANSACTION\b", re.IGNORECASE | re.DOTALL)
_BEGIN = re.compile(rf"{LEAD}BEGIN(?:\s+(?:WORK|TRANSACTION))?(?:\s+NAME\s+\S+)?{TAIL}", re.IGNORECASE | re.DOTALL)

_TOKENS = re.compile(
    r"(?P<text>'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$|\"[^\"]*\"|--[^\n]*|/\*.*?\*/)|(?<![\w$])\$(?P<variable>[A-Za-z_]\w*)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Rewritten:
    """The text to parse; ``temporary`` names a table or view to drop when the session ends."""

    sql: str
    is_no_operation: bool = False
    temporary: str | None = None


def rewrite(sql: str) -> Rewritten:
    """The statement as the parser knows it."""
    if _NO_OPERATION.match(sql):
        return Rewritten(SUCCESS, is_no_operation=True)
    if temporary := _TEMPORARY.match(sql):
        return Rewritten(_TEMPORARY.sub(r"\1\2\g<name>", sql, count=1), temporary=temporary["name"])
    return Rewritten(_respell(sql))


def _respell(sql: str) -> str:
    if _START.match(sql) or _BEGIN.match(sql):
        return "BEGIN"
    if _VIEW.match(sql):
        return _VIEW_COMMENT.sub("", sql, count=1)
    sql = _DROP_PLAIN.sub(r"\1\2", sql, count=1)
    return _DROP_MATERIALIZED.sub(r"\1\2", sql, count=1)


def with_variables(sql: str, variables: dict[str, str]) -> str:
    """``$name`` replaced by its value, but not inside text, quoted names or comments.

    An unknown name is left alone: ``$1`` and stage columns are not variables.
    """

    def value(match: re.Match[str]) -> str:
        name = match["variable"]
        return match[0] if name is None else variables.get(name.upper(), match[0])

    return _TOKENS.sub(value, sql) if variables else sql
