"""From when to when a router is under warranty: dates in, dates out.

It runs from the sale, where the factory's record has its date, else from the first registration. A router
that was ever registered has a year more. That year is the router's, not its owner's: who registers it again
adds none.
"""

from __future__ import annotations

import calendar
import datetime
from typing import NamedTuple

YEARS = 2  # as the law of the EU asks of a seller (Directive (EU) 2019/771, article 10)
YEARS_FOR_REGISTERING = 1


class Term(NamedTuple):
    begins: datetime.date
    ends: datetime.date  # the last day that is under warranty
    from_sale: bool  # else from the first registration
    registered: bool  # the year more is in it

    def runs(self, today: datetime.date) -> bool:
        """Whether it has not ended. A router that is registered before it is sold waits for its first day."""
        return today <= self.ends


def term(sold_on: datetime.date | None, first_registered_on: datetime.date | None) -> Term | None:
    """None while the router was neither sold nor registered, as far as is known.

    A sale counts also where it came after the registration: a shop had tried the router first.
    """
    begins = sold_on or first_registered_on
    if begins is None:
        return None
    registered = first_registered_on is not None
    years = YEARS + (YEARS_FOR_REGISTERING if registered else 0)
    return Term(begins, after_years(begins, years), sold_on is not None, registered)


def after_years(day: datetime.date, years: int) -> datetime.date:
    """The same date of a later year, or the last of its month: from 29 February mostly to the 28th.

    Regulation (EEC, Euratom) 1182/71, article 3(2)(c). So all years are added at once, never one by one.
    """
    year = day.year + years
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))
