"""Ids that sort by the time they were made, so that an index on them is in that order.

Apart from `lib.database`: that imports every table, and the tables need ids.
"""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()
