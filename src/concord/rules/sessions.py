"""What a session is. Every engine and every layer that makes sessions follows this page.

*Owner.* An event belongs to a device, its ``anonymous_id``; an event without one, sent by a server, belongs
to ``user:<user_id>``.

*Order.* An owner's events are ordered by ``occurred_at``, ties by the text of ``event_id``. When and in
which order they arrived plays no part.

*A new session begins* at an event that
- is its owner's first, or
- comes more than 30 minutes after the event before it (exactly 30 minutes joins), or
- follows a LOGOUT, which is the last event of the session it ends, or
- is a LOGIN of another user than the one an earlier LOGIN of the same session named.

*User.* Whom the session's LOGIN names, even for what came before it; without a LOGIN the first user that
any event names. Its tier is the one carried by the event that names the user.

*Funnel.* PRODUCT_VIEW → ADD_TO_CART → CHECKOUT_START → PURCHASE: step 1 is reached at the first
PRODUCT_VIEW, each further step at the first event of its type after the step before it. For a product
category the same with the views and carts of that category alone; checkout and purchase concern all of them.

*Money.* ``cart_value`` is quantity × price of every ADD_TO_CART less that of every REMOVE_FROM_CART, where
an unknown price or quantity counts 0; ``purchase_value`` is what the PURCHASE events say.

*Identity.* ``session_id`` is MD5 over the UTF-8 bytes of ``owner || '|' || first event_id`` (lower-case
text with hyphens), its 32 hex digits grouped 8-4-4-4-12, no bit of it changed: any engine can compute it.

*Final* is a session once no event can come that would change it: the bound, before which nothing is
accepted any more, lies more than 30 minutes after its end. A LOGOUT does not make it final, since an
event from before the LOGOUT may still come.
"""

from hashlib import md5

from concord.contracts.behaviour import COUNTED
from concord.contracts.events import EventType

DEFINITION = 1
"""Raise it whenever this page changes what a session is: sessions of two definitions must not meet in one table."""

INACTIVITY_MS = 30 * 60 * 1000
"""The longest pause within a session, in milliseconds."""

FUNNEL = (EventType.PRODUCT_VIEW, EventType.ADD_TO_CART, EventType.CHECKOUT_START, EventType.PURCHASE)
"""Steps 1 to 4."""

FUNNEL_TIMES = ("viewed_at", "carted_at", "checkout_at", "purchased_at")
"""Columns of a session that say when each step was reached."""

COUNT_OF = dict(zip(EventType, COUNTED, strict=True))
"""Column of a session that counts an event type."""


def owner_of(anonymous_id: str | None, user_id: int | None) -> str:
    """Whose events are ordered together."""
    return anonymous_id if anonymous_id is not None else f"user:{user_id}"


def session_id(owner: str, first_event_id: str) -> str:
    """Identity of the owner's session that begins with this event, as UUID text."""
    digest = md5(f"{owner}|{first_event_id}".encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def is_closed(ended_at_ms: int, bound_ms: int) -> bool:
    """True if no event at or after the bound can change a session that ended then; epoch milliseconds."""
    return bound_ms > ended_at_ms + INACTIVITY_MS
