"""Why a repository is refused, as one line that says what to do. One line for each kind of attack or accident."""

from __future__ import annotations

from datetime import datetime

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    SlowRetrievalError,
    UnsignedMetadataError,
)

from agent.errors import UpdateError, UpdateOffline, UpdateRefused

__all__ = ["Offline", "explain"]

_NEWER = "get the newest stick, or have the repository repaired"


class Offline(DownloadError):
    """Nobody answers."""


def explain(error: RepositoryError | DownloadError, place: str, file: str, now: datetime) -> UpdateError:
    """The error that the person sees.

    :param place: as the person wrote it.
    :param file: what was looked at last.
    :param now: what the clock says.
    """
    at = f"{place}: {file}"
    match error:
        case Offline():
            return UpdateOffline(f"{place}: {error}; check the network or the address")
        case SlowRetrievalError():
            return UpdateError(f"{place}: {error}; try again later or use a stick")
        case DownloadHTTPError():
            return UpdateError(f"{place}: {error}; copy the whole repository or correct the address")
        case DownloadLengthMismatchError():
            return UpdateRefused(f"{at} is larger than it can be; do not use this place, take a stick of your plant")
        case DownloadError():
            return UpdateError(f"{place}: {error}; copy the repository again or correct the address")
        case ExpiredMetadataError():
            return UpdateRefused(
                f"{at} has expired, and the clock says {now:%Y-%m-%d}; set the clock if that is wrong, else {_NEWER}"
            )
        case UnsignedMetadataError():
            return UpdateRefused(
                f"{at} is not signed by enough of the keys that this box trusts; use a repository of your plant, "
                "or pin its root: watchkeeper update trust FILE"
            )
        case BadVersionNumberError():
            return UpdateRefused(f"{at} is older or of another version than this box has to expect; {_NEWER}")
        case LengthOrHashMismatchError():
            return UpdateRefused(f"{at} is not the file that was signed with the rest; copy the repository again")
        case _:
            return UpdateRefused(f"{at} is not in the form of signed metadata; copy the repository again")
