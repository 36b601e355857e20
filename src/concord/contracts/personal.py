"""What of the data is about a person, and how much of it others may see."""

from enum import StrEnum


class Personal(StrEnum):
    """The kind of personal data in a column. Masks, tags and documentation follow from it.

    Customer numbers are no kind of their own: they are the pseudonym by which everything is joined and erased.
    """

    EMAIL = "email"
    NAME = "name"
    ADDRESS = "address"
    DEVICE = "device"
    FREE_TEXT = "free_text"


SHOWN = {
    Personal.EMAIL: "the domain, `***` before it",
    Personal.NAME: "`***`",
    Personal.ADDRESS: "`***`",
    Personal.DEVICE: "its SHA-256, so that rows of one device stay together",
    Personal.FREE_TEXT: "`***`: people and pages put anything into it",
}
"""What a reader sees who may not see persons."""
