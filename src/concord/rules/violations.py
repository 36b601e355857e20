"""Why a record is refused."""

from enum import StrEnum

MAX_POINTER = 256


class Reason(StrEnum):
    """Reason codes of dead letters, in the order in which a record is looked at."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_FIELD = "duplicate_field"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    BAD_FORMAT = "bad_format"
    UNKNOWN_FIELD = "unknown_field"
    NO_IDENTITY = "no_identity"
    IMPOSSIBLE_TIME = "impossible_time"


BAD_CHANGE_RECORD = "bad_change_record"
"""Reason code of a record of a change topic that is no row of its table."""


class Violation(Exception):
    """One fault of one record. ``detail`` never repeats the value: it may be personal."""

    def __init__(self, reason: Reason, detail: str, field: str | None = None) -> None:
        super().__init__(reason, detail, field)
        self.reason = reason
        self.detail = detail
        self.pointer = "" if field is None else json_pointer(field)

    def at(self, field: str) -> "Violation":
        """The same fault, found in ``field``."""
        return Violation(self.reason, self.detail, field)


def json_pointer(field: str) -> str:
    """RFC 6901, cut where somebody's field name is absurdly long."""
    return ("/" + field.replace("~", "~0").replace("/", "~1"))[:MAX_POINTER]
