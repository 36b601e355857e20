"""How far visits went, from view to purchase. Grain: day on which the session began.

What a session is, and what a step of the funnel, says ``rules.sessions``.
"""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from concord.batch.days import Days
from concord.batch.metrics.ratios import exact_ratio
from concord.batch.metrics.source import Source
from concord.contracts.events import EventType
from concord.rules.sessions import FUNNEL, INACTIVITY_MS

STEPS = ("viewed", "carted", "checkouts", "purchased")


def funnel_metrics(source: Source, days: Days) -> DataFrame:
    """One row per wanted day on which a session began."""
    began = sessions(of_owners(owned(source.events()), days))
    return rated(by_day(began.where(days.hold(F.col("date")))))


def owned(events: DataFrame) -> DataFrame:
    """What makes sessions, with the owner: the device, else the user."""
    owner = F.coalesce("anonymous_id", F.concat(F.lit("user:"), "user_id"))
    return events.select(owner.alias("owner"), "event_id", "event_type", "user_id", "occurred_at")


def of_owners(events: DataFrame, days: Days) -> DataFrame:
    """Everything of the owners who did something on these days: what went before tells where a session begins."""
    if days.are_all:
        return events
    wanted = events.where(days.hold(F.to_date("occurred_at"))).select("owner").distinct()
    return events.join(wanted, "owner", "left_semi")


def sessions(events: DataFrame) -> DataFrame:
    """(owner, date, ended_at, funnel_step), one row per session."""
    cut = cut_at_other_users(cut_at_pauses(events))
    grouped = cut.groupBy("owner", "stretch", "visit").agg(
        F.min("occurred_at").alias("started_at"),
        F.max("occurred_at").alias("ended_at"),
        F.sort_array(F.collect_list(_if_of_funnel())).alias("steps"),
    )
    return grouped.select("owner", F.to_date("started_at").alias("date"), "ended_at", funnel_step("steps"))


def cut_at_pauses(events: DataFrame) -> DataFrame:
    """With ``stretch``, which goes up at a pause and behind a LOGOUT."""
    owner = _in_order("owner")
    pause = F.unix_millis("occurred_at") - F.unix_millis(F.lag("occurred_at").over(owner))
    is_after_logout = F.lag("event_type").over(owner) == EventType.LOGOUT
    begins = F.coalesce((pause > INACTIVITY_MS) | is_after_logout, F.lit(False))
    return _numbered(events, "stretch", begins, owner)


def cut_at_other_users(events: DataFrame) -> DataFrame:
    """With ``visit``, which goes up at a LOGIN of another user than the stretch's LOGIN before it.

    That LOGIN is of the same session: either no later one cut it, or the session begins there.
    """
    stretch = _in_order("owner", "stretch")
    is_login = F.col("event_type") == EventType.LOGIN
    named = F.last(F.when(is_login, F.col("user_id")), ignorenulls=True)
    earlier = named.over(stretch.rowsBetween(Window.unboundedPreceding, -1))
    begins = is_login & F.coalesce(F.col("user_id") != earlier, F.lit(False))
    return _numbered(events, "visit", begins, stretch)


def _in_order(*within: str) -> WindowSpec:
    return Window.partitionBy(*within).orderBy("occurred_at", "event_id")


def _numbered(events: DataFrame, name: str, begins: Column, within: WindowSpec) -> DataFrame:
    """With a number that goes up by one wherever something begins. A window cannot look into another one."""
    number = F.sum("begins").over(within.rowsBetween(Window.unboundedPreceding, 0))
    return events.withColumn("begins", begins.cast("int")).withColumn(name, number).drop("begins")


def _if_of_funnel() -> Column:
    """The event in its order, or null, which no list collects."""
    is_step = F.col("event_type").isin(*map(str, FUNNEL))
    return F.when(is_step, F.struct("occurred_at", "event_id", "event_type"))


def funnel_step(events: str) -> Column:
    """How many steps were reached in order: each event moves one on if it is the step that comes next."""

    def further(reached: Column, event: Column) -> Column:
        steps = F.array(*(F.lit(str(step)) for step in FUNNEL))
        is_next = event["event_type"] == F.get(steps, reached)
        return F.when(is_next, reached + 1).otherwise(reached)

    return F.aggregate(events, F.lit(0), further).alias("funnel_step")


def by_day(began: DataFrame) -> DataFrame:
    """Sessions of each day, and how many of them reached each step."""
    reached = [F.count_if(F.col("funnel_step") >= step).alias(name) for step, name in enumerate(STEPS, 1)]
    return began.groupBy("date").agg(F.count(F.lit(1)).alias("sessions"), *reached)


def rated(daily: DataFrame) -> DataFrame:
    """With each step's share of the one before it, and the last one's of all."""
    ratios = {
        "view_rate": ("viewed", "sessions"),
        "cart_rate": ("carted", "viewed"),
        "checkout_rate": ("checkouts", "carted"),
        "purchase_rate": ("purchased", "checkouts"),
        "conversion_rate": ("purchased", "sessions"),
    }
    return daily.withColumns({name: exact_ratio(F.col(part), F.col(whole)) for name, (part, whole) in ratios.items()})
