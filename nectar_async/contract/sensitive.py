"""The wire keys whose values are secrets: the contract marks them `x-sensitive`."""

from __future__ import annotations

from typing import Final

__all__ = ["SENSITIVE"]

SENSITIVE: Final = frozenset(
    {
        "appPortalUrl",
        "billing",
        "companyMagicLinkSecret",
        "connectionMagicLinkSecret",
        "documents",
        "invitationUrl",
        "key",
        "magicLinkUrl",
        "password",
        "portalUrl",
        "securityQuestions",
        "token",
        "url",
        "username",
        "value",
    }
)
"""Every wire key that is sensitive somewhere, and other guesses at its spelling."""
