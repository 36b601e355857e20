"""What an erasure looked for, kept until it is proven: without it a second run could not find what a first one left.

The file holds the person's address and devices. Only its owner may read it, and the proof deletes it.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from concord.erasure.person import Person

SALT_BYTES = 32


@dataclass(frozen=True)
class Notes:
    """The notes on one user in a folder."""

    folder: Path
    user_id: int

    @property
    def path(self) -> Path:
        return self.folder / f"{self.user_id}.json"

    @property
    def are_kept(self) -> bool:
        """An erasure of this user has begun and is not proven."""
        return self.path.exists()

    def read(self) -> Person:
        """The person as noted; one of whom nothing is known yet if there are no notes."""
        if not self.are_kept:
            return Person(self.user_id, secrets.token_bytes(SALT_BYTES))
        document = json.loads(self.path.read_text())
        lists = {name: frozenset(document[name]) for name in ("words", "devices", "orders", "documents")}
        return Person(self.user_id, bytes.fromhex(document["salt"]), **lists)

    def write(self, person: Person) -> None:
        """Whole or not at all."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lists = {name: sorted(getattr(person, name)) for name in ("words", "devices", "orders", "documents")}
        fresh = self.path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"salt": person.salt.hex(), **lists}))
        fresh.replace(self.path)

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)
