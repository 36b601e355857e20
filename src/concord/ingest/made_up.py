"""What a shop must have and no file tells: stock, names and addresses.

All of it is made up, and the same for the same key on every machine and in every run.
"""

from dataclasses import dataclass
from hashlib import blake2b

MAIL_DOMAIN = "example.com"
"""Reserved by RFC 2606: no message to it reaches anybody."""
LARGEST_STOCK = 1_000

FIRST_NAMES = (
    "Ada", "Amara", "Anna", "Arthur", "Beatrice", "Carlos", "Chen", "Clara", "Daniel", "Edith", "Elena", "Emil",
    "Farah", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jamal", "Joan", "Jonas", "Kofi", "Lara", "Leo", "Lin",
    "Maria", "Mateo", "Mila", "Nadia", "Nils", "Olga", "Omar", "Paula", "Priya", "Ravi", "Rosa", "Samuel", "Sofia",
    "Tariq", "Thea", "Tom", "Uma", "Vera", "Victor", "Yara", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Adeyemi", "Baker", "Bauer", "Bennett", "Carter", "Castro", "Cohen", "Costa", "Diaz", "Dubois", "Evans",
    "Fischer", "Foster", "Garcia", "Green", "Haddad", "Hansen", "Hughes", "Ito", "Jensen", "Kaya", "Keller", "Khan",
    "Kowalski", "Larsen", "Lopez", "Mbeki", "Meyer", "Moreau", "Murphy", "Nguyen", "Novak", "Okafor", "Olsen", "Patel",
    "Pereira", "Popov", "Reed", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Taylor", "Torres", "Usman", "Virtanen",
    "Walker", "Weber",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A customer who does not exist."""

    first_name: str
    last_name: str
    email: str


def person(customer: int | str) -> Person:
    """The invented customer of this number; no two numbers share an address."""
    first = FIRST_NAMES[drawn(f"first name {customer}", len(FIRST_NAMES))]
    last = LAST_NAMES[drawn(f"last name {customer}", len(LAST_NAMES))]
    return Person(first, last, f"{first}.{last}.{customer}@{MAIL_DOMAIN}".lower())


def stock_of(sku: str) -> int:
    """Pieces in stock; about one article in twenty has none."""
    return max(0, drawn(f"stock {sku}", LARGEST_STOCK + LARGEST_STOCK // 20) - LARGEST_STOCK // 20)


def drawn(key: str, below: int) -> int:
    """A number in [0, below) that depends on nothing but the key."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) % below
