"""Which locustfile a load has where none is named, and what it asks for."""

from __future__ import annotations

from pathlib import Path

OWN = Path("locustfile.py")
PAYMENTS = Path("e2e/payments/locustfile.py")
ANY_ANSWER = Path(__file__).with_name("default_locustfile.py")


def locustfile_of(folder: Path) -> Path:
    """The project's own, as Locust itself would find it; the payment suite's; else the one that
    takes any answer."""
    there = (folder / file for file in (OWN, PAYMENTS) if (folder / file).is_file())
    return next(there, ANY_ANSWER)


def path_of(locustfile: Path) -> str:
    """The payment suite is asked to pay, all others for ``/``."""
    return "/pay" if locustfile.parts[-3:] == PAYMENTS.parts else "/"
