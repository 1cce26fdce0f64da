"""All that is repaired in moto, in one place for each process that has it."""

import order
import quicker
import quotas
import records
import repairs
import sharing
import unique


def apply():
    """Puts all of it in place, once, before anything is asked."""
    for part in (quicker, repairs, quotas, order, records, unique, sharing):
        part.apply()
