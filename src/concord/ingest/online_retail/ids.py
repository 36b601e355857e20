"""Which id each planned row gets: in order of time, the same however often the load was broken off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from concord.contracts.model import Dataset
from concord.contracts.tables import ORDER_ITEMS, ORDERS, PRODUCTS, USERS
from concord.errors import ContractViolation
from concord.gateways.postgres import Session
from concord.ingest.online_retail.plan import Plan


@dataclass(frozen=True)
class Loaded:
    """What of a plan the shop holds already: ids by rank, and each order's status."""

    users: frozenset[int]
    products: Mapping[int, int]
    orders: Mapping[int, int]
    first_items: Mapping[int, int]
    statuses: Mapping[int, str]


@dataclass(frozen=True)
class Ids:
    """The id of every rank of a plan. Of items only those of orders that are still to come."""

    products: Mapping[int, int]
    orders: Mapping[int, int]
    items: Mapping[int, int]


def look_up(session: Session, plan: Plan) -> Loaded:
    """Ask the shop. Raises :class:`ContractViolation` if a customer number is somebody else's there."""
    skus: dict[str, int] = dict(session.query("select sku, id from products"))
    orders = session.query(
        "select external_id, orders.id, status, min(order_items.id) from orders "
        "left join order_items on order_items.order_id = orders.id where external_id is not null group by orders.id"
    )
    ranks = dict(plan.orders.select("external_id", "rank").iter_rows())
    found = [(ranks[number], *rest) for number, *rest in orders if number in ranks]
    return Loaded(
        users=_present_users(session, plan),
        products={rank: skus[sku] for rank, sku in plan.products.select("rank", "sku").iter_rows() if sku in skus},
        orders={rank: id_ for rank, id_, _, _ in found},
        first_items={rank: item for rank, _, _, item in found if item is not None},
        statuses={rank: status for rank, _, status, _ in found},
    )


def _present_users(session: Session, plan: Plan) -> frozenset[int]:
    """A customer whose address *and* first appearance differ from ours is another person."""
    ours = {id_: rest for id_, *rest in plan.users.select("id", "email", "created_at").iter_rows()}
    present = session.query("select id, email, created_at from users where id = any(%s::bigint[])", (list(ours),))
    for id_, email, created_at in present:
        if email != ours[id_][0] and created_at != ours[id_][1]:
            raise ContractViolation(
                f"customer {id_} of the file is already another user of the shop, {email}",
                "load the file into an empty shop: concord reset",
            )
    return frozenset(id_ for id_, _, _ in present)


def assign(session: Session, plan: Plan, done: Loaded) -> Ids:
    """Give every row that is still to come its id, and move the sequences past all of them."""
    firsts = dict(plan.orders.select("rank", "first_item").iter_rows())
    items = {firsts[rank]: id_ for rank, id_ in done.first_items.items()}
    to_come = plan.items.filter(~plan.items["order"].is_in(list(done.orders)))["rank"].to_list()
    _move_sequence(session, USERS, max(plan.users["id"].to_list(), default=0))
    return Ids(
        products=_continued(session, PRODUCTS, plan.products["rank"].to_list(), done.products),
        orders=_continued(session, ORDERS, plan.orders["rank"].to_list(), done.orders),
        items=_continued(session, ORDER_ITEMS, to_come, items),
    )


def _continued(session: Session, table: Dataset, ranks: Sequence[int], known: Mapping[int, int]) -> dict[int, int]:
    """Known ids stay. The others continue the known row of numbers, or begin a new one if it is taken."""
    missing = [rank for rank in ranks if rank not in known]
    if not missing:
        return dict(known)
    given = _in_the_row(missing, known)
    if not given or _is_taken(session, table, given):
        following = _last_id(session, table) + 1
        given = {rank: following + index for index, rank in enumerate(missing)}
    _move_sequence(session, table, max(given.values()))
    return {**known, **given}


def _in_the_row(missing: Sequence[int], known: Mapping[int, int]) -> dict[int, int]:
    """Ids that lie as far apart as the ranks do; empty if the known ones do not."""
    offsets = {id_ - rank for rank, id_ in known.items()}
    if len(offsets) != 1:
        return {}
    [offset] = offsets
    return {rank: offset + rank for rank in missing}


def _is_taken(session: Session, table: Dataset, given: Mapping[int, int]) -> bool:
    present = session.query(
        f"select id from {table.name} where id between %s and %s", (min(given.values()), max(given.values()))
    )
    wanted = set(given.values())
    return min(wanted) < 1 or any(id_ in wanted for (id_,) in present)


def _last_id(session: Session, table: Dataset) -> int:
    """The highest id that is or was given out."""
    [(sequence,)] = session.query("select pg_get_serial_sequence(%s, 'id')", (table.name,))
    [(last,)] = session.query(
        f"select greatest((select max(id) from {table.name}), last_value - (not is_called)::int) from {sequence}"
    )
    return int(last)


def _move_sequence(session: Session, table: Dataset, highest: int) -> None:
    """Numbers up to ``highest`` are ours: whoever else adds rows gets later ones. Moves forward only."""
    if highest > _last_id(session, table):
        session.query("select setval(pg_get_serial_sequence(%s, 'id'), %s)", (table.name, highest))
