"""What the batch layer hands to the speed layer with each publication: tiers of users, the catalogue.

A publication is complete once its row in ``enrichments`` is there; a micro-batch pins one before it stores
anything, so that a second run of it sees the same.
"""

from concord.contracts.behaviour import TIERS
from concord.contracts.model import Column, Dataset, by_name
from concord.contracts.tables import MONEY
from concord.contracts.types import BIGINT, INSTANT, TEXT, Category

DEFAULT_TIER = TIERS[0]
"""Of users whom no publication names: the lowest one is not handed over, and new users have it."""

PUBLICATION = Column("publication", BIGINT, description="Number of the published batch.")

USER_TIERS = Dataset(
    name="user_tiers",
    description="Tier of every user above the lowest one, per publication.",
    key=("publication", "user_id"),
    columns=(PUBLICATION, Column("user_id", BIGINT), Column("customer_tier", Category(TIERS))),
)

CATALOGUE = Dataset(
    name="catalogue",
    description="Category and price of every product, per publication.",
    key=("publication", "product_id"),
    columns=(
        PUBLICATION,
        Column("product_id", BIGINT),
        Column("product_category", Category()),
        Column("product_price", MONEY),
    ),
)

ENRICHMENTS = Dataset(
    name="enrichments",
    description="One row per publication that the speed layer holds completely, written last.",
    key=("publication",),
    columns=(
        PUBLICATION,
        Column("batch_id", TEXT, description="The batch layer's name of it."),
        Column("users", BIGINT, description="Rows of user_tiers."),
        Column("products", BIGINT, description="Rows of catalogue."),
        Column("written_at", INSTANT),
    ),
)

ENRICHMENT_PINS = Dataset(
    name="enrichment_pins",
    description="Which publication a micro-batch applied; 0 for none.",
    key=("query", "batch_id"),
    columns=(
        Column("query", Category()),
        Column("batch_id", BIGINT, description="Micro-batch of that query."),
        PUBLICATION,
        Column("written_at", INSTANT),
    ),
)

ENRICHMENT_TABLES = by_name(USER_TIERS, CATALOGUE, ENRICHMENTS, ENRICHMENT_PINS)
