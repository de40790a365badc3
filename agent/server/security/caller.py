"""Who asks: what the gate found out about a request, for the routes behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["NOBODY", "ROLES", "Caller", "Role"]

Role = Literal["ask", "approve", "admin"]
ROLES: tuple[Role, ...] = ("ask", "approve", "admin")
"""Each may do what those before it may."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str
    """Of the token; of the user of the box where none is needed."""
    role: Role | None
    """None may see the page and that the server lives, and nothing else."""
    client: str
    """With whom it shares its place in the queue and its history."""

    def may(self, role: Role) -> bool:
        """Whether this role is among its own."""
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(role)


NOBODY = Caller("", None, "")
