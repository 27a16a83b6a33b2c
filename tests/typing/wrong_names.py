"""Names and values that type checkers must refuse. It is never run.

Most of them have a hint at run time (`nectar_async._hints`). A comment that ignores
nothing is an error for both checkers, so each line here is one that they report.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from nectar_async import FanOut, NectarClient, Pager, Settings, Site
from nectar_async.testing.plugin import NectarSandbox


def keywords(nectar: NectarClient, sandbox: NectarSandbox) -> None:
    NectarClient(timeout=9)  # type: ignore[call-arg]
    Settings(timeout=9)  # type: ignore[call-arg]
    Settings.from_env(timeout=9)  # type: ignore[call-arg]
    Settings.from_env(deadline="9")  # type: ignore[arg-type]
    nectar.with_settings(timeout=9)  # type: ignore[call-arg]
    nectar.with_settings(deadline="9")  # type: ignore[arg-type]
    nectar.with_settings(max_concurrency=9)  # type: ignore[call-arg]
    sandbox.client(timeout=9)  # type: ignore[call-arg]


def attributes(nectar: NectarClient) -> None:
    nectar.bills.get()  # type: ignore[attr-defined]
    nectar.usage.list()  # type: ignore[attr-defined]
    nectar.companies.list()  # type: ignore[attr-defined]
    with nectar:  # type: ignore[attr-defined]
        pass


def lists(pager: Pager[Site], fan_out: FanOut[Site]) -> None:
    pager.all()  # type: ignore[attr-defined]
    len(pager)  # type: ignore[arg-type]
    pager[0].casefold()  # type: ignore[index]
    for _site in pager:  # type: ignore[attr-defined]
        pass
    fan_out.to_list()  # type: ignore[attr-defined]
    with fan_out:  # type: ignore[attr-defined]
        pass
