"""Invoice dates: text of an unknown but single format into UTC instants."""

import polars as pl

from concord.ingest.online_retail.read import RawFile

ISO = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%Y-%m-%d")
MONTH_FIRST = ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M")
DAY_FIRST = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M", "%d/%m/%y %H:%M")
PLAUSIBLE_YEARS = (1990, 2100)


def parse_instants(raw: RawFile) -> pl.Series:
    """The invoice date of every row. The files carry no zone: their times are read as UTC.

    All rows share one format. Where 1/2 may be January or February, the reading is taken in which
    the rows are in order of time, as the published files are; failing that, the month comes first.
    Raises ContractViolation naming the first row that is no date.
    """
    text = raw.rows["at"]
    readings = sorted((_reading(text, form) for form in (*ISO, *MONTH_FIRST, *DAY_FIRST)), key=_preference)
    best = readings[0]
    if best.null_count():
        raw.refuse(best.is_null().arg_max() or 0, "at", "is not a date and time")
    return best


def _reading(text: pl.Series, form: str) -> pl.Series:
    """The column read in one format, null where it does not fit."""
    parsed = text.str.to_datetime(form, time_unit="ms", strict=False, exact=True)
    return parsed.set(~parsed.dt.year().is_between(*PLAUSIBLE_YEARS), None).alias("at")


def _preference(reading: pl.Series) -> tuple[int, bool]:
    """Fewest misfits first, then in order of time; the order of the formats decides the rest."""
    return reading.null_count(), not reading.is_sorted()
