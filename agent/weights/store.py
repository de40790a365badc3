"""The folder of weight files: what is there, whether it is what it should be, where it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.settings import WeightsSettings

__all__ = ["WeightStore"]


class WeightStore:
    """Files named by the catalogue, verified before anybody may read them."""

    def __init__(self, folder: Path, settings: WeightsSettings) -> None:
        self.folder = folder
        self.settings = settings

    def verified(self, name: str) -> Mapping[str, Path]:
        """The files of one catalogue entry, role → path, after size and SHA-256 of each were checked.

        :raises WeightsMissing: a file is not here.
        :raises WeightsBad: a file is short or its digest is wrong; it has been renamed to `*.bad` with the reason beside it.
        """
        raise NotImplementedError
