"""The wire keys whose values are secrets: the contract marks them `x-sensitive`."""

from __future__ import annotations

from typing import Final

__all__ = ["ANSWERED", "SENSITIVE", "SENT"]

SENT: Final = frozenset({"documents", "password", "securityQuestions", "username"})
"""Keys of request bodies; everything below them is secret."""

ANSWERED: Final = frozenset(
    {
        "appPortalUrl",
        "billing",
        "companyMagicLinkSecret",
        "connectionMagicLinkSecret",
        "invitationUrl",
        "magicLinkUrl",
        "portalUrl",
        "token",
    }
)
"""Keys of answers that are secret in every answer that has them."""

SENSITIVE: Final = SENT | ANSWERED | {"key", "url", "value"}
"""Every wire key that is secret in some object, and the candidates for guessed keys."""
