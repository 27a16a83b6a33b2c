"""A field of one's own: read a key of your bills that the SDK does not know.

    NECTAR_API_KEY=... python examples/own_fields.py

Unknown keys of the API are in `.extra`. With a hook they become fields of a class of
yours, in every list and call of the client. Other models are as fast as before.
"""

from __future__ import annotations

from typing import Any

import anyio
import cattrs
from attrs import frozen

from nectar_async import NectarClient, UsageData, make_converter


@frozen(kw_only=True)
class OurUsage(UsageData):
    """Usage with the cost centre that our bills have."""

    cost_centre: str | None = None
    """The API sends it as `costCentre`."""


def build_converter() -> cattrs.Converter:
    """Build a converter that reads every usage record as ours."""
    converter = make_converter()
    # Before the hook is registered: cattrs would use it for subclasses, too.
    read_ours = converter.get_structure_hook(OurUsage)

    def read(value: Any, _: object) -> OurUsage:
        ours: OurUsage = read_ours(value, OurUsage)
        return ours

    converter.register_structure_hook(UsageData, read)
    return converter


async def main() -> None:
    """Print the cost centre of each bill of the first company."""
    async with NectarClient(converter=build_converter()) as nectar:
        company = (await nectar.companies.all())[0]
        async for record in nectar.usage.by_company(company.id):
            if isinstance(record, OurUsage):  # for type checkers
                print(record.cost_centre, record.usage, record.usage_units)


if __name__ == "__main__":
    anyio.run(main)
