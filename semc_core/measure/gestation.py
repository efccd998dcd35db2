"""How far a pregnancy is on the day of an examination, from its dates; a measure is ranked at that age.

Sources:
    A due date is 280 days after the first day of the last period (Naegele's rule).
    Papageorghiou AT et al. International standards for early fetal size and pregnancy dating based on
    ultrasound measurement of crown-rump length in the first trimester of pregnancy. Ultrasound Obstet Gynecol
    2014;44:641-8: days = 40.9041 + 3.21585 sqrt(CRL) + 0.348956 CRL, of 15 to 95 mm.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from semc_core.errors import UsageError
from semc_core.language import N_, _

Origin = Literal["due date", "last period", "CRL", "as given"]
AS_GIVEN: Final = "as given"
ORIGINS: Final[tuple[Origin, ...]] = ("due date", "last period", "CRL", AS_GIVEN)
"""What an age was reckoned from."""

TERM_DAYS: Final = 280
LEAST_DAYS, MOST_DAYS = 28, 308
"""4+0 to 44+0 weeks: what is reckoned to be outside of that is a slip of the pen."""
CRL_MM: Final = (15.0, 95.0)
"""Of the fetuses that the formula was made from."""

# Translators: what stands in quotes is typed as it stands, in English.
_HOW: Final = N_(
    'Type "due 2026-09-30", "lmp 2025-12-24", "crl 55 mm 2026-03-20" or the age itself, "20+3"; with '
    '"on 2026-05-13" behind it if the examination was not made on the day of the scan.'
)
_DAY: Final = r"(\d{4}-\d{2}-\d{2})"
_TYPED: Final = re.compile(
    rf"(?:due\s+{_DAY}|lmp\s+{_DAY}|crl\s+(\d+(?:[.,]\d+)?)\s*(?:mm)?\s+{_DAY}|(\d{{1,2}})\+(\d))"
    rf"(?:\s+on\s+{_DAY})?"
)


@dataclass(frozen=True, slots=True)
class GestationalAge:
    """On the day of the examination. The dates that it was reckoned from are kept nowhere.

    Attributes:
        days: Whole days.
        origin: One of `ORIGINS`.
    """

    days: int
    origin: Origin

    @property
    def weeks(self) -> float:
        """Exact weeks."""
        return self.days / 7

    def __str__(self) -> str:
        """Weeks and days: 20+3."""
        return f"{self.days // 7}+{self.days % 7}"


def read_age(text: str, scanned: date | None) -> GestationalAge:
    """The age as somebody typed its dates.

    Args:
        text: Such as "due 2026-09-30", or "20+3 on 2026-05-13".
        scanned: The day of the examination where the program knows it: of a live scan. A loop that is
            reviewed may be of any day.

    Raises:
        UsageError: It is none, says no day of the examination, or gives no possible age.
    """
    found = _TYPED.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(_(_HOW))
    due, lmp, crl, crl_day, weeks, days, on = found.groups()
    if weeks is not None:
        if int(days) > 6:
            raise UsageError(_("A week has seven days: type the age as weeks+days, such as 20+3."))
        return checked_age(int(weeks) * 7 + int(days), AS_GIVEN)
    day = _day(on) if on is not None else scanned
    if day is None:
        raise UsageError(_('Say the day of the examination, too, such as "on 2026-05-13": a loop has none.'))
    if due is not None:
        return checked_age(TERM_DAYS - (_day(due) - day).days, "due date")
    if lmp is not None:
        return checked_age((day - _day(lmp)).days, "last period")
    at_crl = crl_days(float(crl.replace(",", ".")))
    return checked_age(round(at_crl) + (day - _day(crl_day)).days, "CRL")


def crl_days(mm: float) -> float:
    """The age in days by a crown-rump length.

    Raises:
        UsageError: It is outside of the formula's range.
    """
    low, high = CRL_MM
    if not low <= mm <= high:
        least, most = f"{low:g}", f"{high:g}"
        raise UsageError(_("A CRL dates from {low} to {high} mm only; check it.", low=least, high=most))
    return 40.9041 + 3.21585 * math.sqrt(mm) + 0.348956 * mm


def checked_age(days: int, origin: Origin) -> GestationalAge:
    """An age that can be one.

    Raises:
        UsageError: It cannot.
    """
    if not LEAST_DAYS <= days <= MOST_DAYS:
        raise UsageError(_("By these dates the pregnancy is not between 4 and 44 weeks; check them."))
    return GestationalAge(days, origin)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            _("{text} is no day; type year-month-day, such as 2026-05-13.", text=text)
        ) from error
