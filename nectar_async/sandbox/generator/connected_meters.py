"""Generated connections, their accounts, and the meters of these accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

from nectar_async.sandbox.generator.commodities import COMMODITIES, SEWER, Commodity
from nectar_async.sandbox.generator.connection_logins import (
    ERROR_DETAILS,
    find_portal_url,
)
from nectar_async.sandbox.generator.dates import (
    BillingCycle,
    Instant,
    find_first_day,
    to_midnight,
)
from nectar_async.sandbox.generator.entities import (
    AccountRecord,
    CompanyRecord,
    ConnectionRecord,
    IdentifierRecord,
    MeterRecord,
    SiteRecord,
)
from nectar_async.sandbox.generator.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from nectar_async.sandbox.generator.ids import Ids

__all__ = [
    "SAMPLED",
    "make_connections",
    "make_loose_meter",
    "make_sample_accounts",
]

SAMPLED = ("ELECTRICITY", "SOLAR", "WATER", "GAS", "FUEL")
"""The commodities of sample data."""

_MONTHS = 24
# The commodities on one account. A site gets the first three, and then any.
_SERVICES = (
    ("ELECTRICITY",),
    ("WATER",),
    ("GAS",),
    ("ELECTRICITY", "GAS"),
    ("WASTE",),
    ("DISTRICT",),
    ("FUEL",),
    ("MISC",),
    ("REFRIGERANT",),
    ("SOLAR",),
    ("TELECOM",),
    ("ELECTRICITY", "ELECTRICITY"),
    ("WATER", "WATER"),
)
_BASIC_SERVICES = 3
# The first account of each company has one of these in turn, so 10 companies have all.
_TYPES = tuple(COMMODITIES)
_STATUSES = ("CONNECTED",) * 12 + (
    "PENDING",
    "PASSWORD_INCORRECT",
    "MFA_TOKEN_EXPIRED",
    "UNDER_INVESTIGATION",
)


def make_connections(
    ids: Ids, seed: int, company: CompanyRecord, last_day: date
) -> tuple[ConnectionRecord, ...]:
    """Make a company's connections, with meters for about its planned records."""
    generator = _MeterGenerator(
        ids=ids, random=SeededRandom(seed, "meters", company.index), company=company
    )
    generator.make_accounts()
    return tuple(generator.make_connections(last_day))


def make_sample_accounts(
    ids: Ids, seed: int, company: CompanyRecord, connection: ConnectionRecord
) -> tuple[AccountRecord, ...]:
    """Make the accounts of a connection with the sandbox's credentials.

    Each sampled commodity has one account at each site. If the connection was created
    for certain commodities, only these have accounts.
    """
    generator = _MeterGenerator(
        ids=ids,
        random=SeededRandom(seed, "samples", connection.id),
        company=company,
        prefix=f"{connection.id}/",
    )
    commodities = connection.datasource_types or SAMPLED
    return tuple(
        evolve(generator.make_account(site, (name,)), status_seen=connection.created)
        for site in company.sites
        if site.id in (connection.sites or ())
        for name in SAMPLED
        if name in commodities
    )


def make_loose_meter(
    ids: Ids, seed: int, company: CompanyRecord, site: SiteRecord, document_id: str
) -> MeterRecord:
    """Make a meter without an account, for a bill of a site without meters."""
    generator = _MeterGenerator(
        ids=ids,
        random=SeededRandom(seed, "upload", "meter", document_id),
        company=company,
        prefix=f"{document_id}/",
    )
    return evolve(generator.make_account(site, SAMPLED[:1]).meters[0], account_id=None)


@define(kw_only=True)
class _MeterGenerator:
    """Makes the accounts and meters of one company."""

    ids: Ids
    random: SeededRandom
    company: CompanyRecord
    prefix: str = ""
    """The start of the texts from which ids are made."""
    accounts: dict[str, list[AccountRecord]] = field(factory=dict)
    """The accounts by the utility that bills them."""
    account_count: int = 0
    meter_count: int = 0

    def make_accounts(self) -> None:
        missing = self.company.planned_records
        turn = 0
        while missing > 0:
            sites = self.company.sites
            service = self._draw_service(turn, round_number=turn // len(sites))
            account = self.make_account(sites[turn % len(sites)], service)
            utility = self.random.pick(self.company.region.utilities)
            self.accounts.setdefault(utility, []).append(account)
            missing -= len(account.meters) * (_MONTHS // account.cycle.months)
            turn += 1

    def make_connections(self, last_day: date) -> Iterator[ConnectionRecord]:
        start = to_midnight(find_first_day(last_day).toordinal())
        for number, (utility, accounts) in enumerate(self.accounts.items()):
            age = self.random.below(86_400_000_000) * 1_000
            connection_id = self.ids.make("connection", self.company.index, str(number))
            status = self.random.pick(_STATUSES)
            created = Instant.at(start + age)
            updated = Instant.at(start + 2 * age, digits=6)
            yield ConnectionRecord(
                id=connection_id,
                utility=utility,
                url=find_portal_url(utility),
                username=f"login-{connection_id[:8]}",
                country=self.company.region.country,
                status=status,
                error_detail=ERROR_DETAILS.get(status),
                created=created,
                updated=updated,
                status_seen=created,
                status_checked=updated,
                is_password_right=status == "CONNECTED",
                owner_email=self.company.users[0],
                accounts=tuple(
                    evolve(account, status_seen=created) for account in accounts
                ),
            )

    def _draw_service(self, turn: int, *, round_number: int) -> tuple[str, ...]:
        if turn == 0:
            return (_TYPES[self.company.index % len(_TYPES)],)
        if round_number < _BASIC_SERVICES and self.random.chance(800):
            return _SERVICES[round_number]
        return self.random.pick(_SERVICES)

    def make_account(self, site: SiteRecord, service: tuple[str, ...]) -> AccountRecord:
        random = self.random
        commodities = [COMMODITIES[name] for name in service]
        months = random.pick(commodities[0].months)
        number = random.pick(
            (
                f"{random.digits(4)}-{random.digits(4)}-{random.digits(2)}",
                f"{random.digits(3)} {random.digits(3)} {random.digits(4)}",
                f"00{random.digits(7)}/{random.digits(1)}",
                f"{random.digits(5)}_{random.digits(4)}",
            )
        )
        account_id = self.ids.make(
            "account", self.company.index, f"{self.prefix}{self.account_count}"
        )
        self.account_count += 1
        meters: list[MeterRecord] = []
        for commodity in commodities:
            # An account may have meters at several sites.
            is_elsewhere = bool(meters) and random.chance(150)
            place = random.pick(self.company.sites) if is_elsewhere else site
            meters += self._make_meters(place, account_id, number, commodity)
        return AccountRecord(
            id=account_id,
            number=number,
            cycle=BillingCycle(
                months=months,
                day=1 if random.chance(350) else random.between(2, 28),
                phase=random.below(months),
            ),
            meters=tuple(meters),
        )

    def _make_meters(
        self, site: SiteRecord, account_id: str, number: str, commodity: Commodity
    ) -> Iterator[MeterRecord]:
        meter = self._make_meter(site, account_id, number, commodity)
        if commodity.datasource_type == "SOLAR":
            # Meters of generated, exported and imported energy.
            grid = COMMODITIES["ELECTRICITY"]
            yield meter
            yield self._make_sibling(
                meter, account_id, grid, {"netMeteringType": "EXPORT"}
            )
            yield self._make_sibling(
                meter, account_id, grid, {"netMeteringType": "IMPORT"}
            )
            return
        yield meter
        has_sewer = self.company.is_implied_metering_enabled
        if commodity.datasource_type == "WATER" and has_sewer:
            sewer = self._make_sibling(meter, account_id, commodity, SEWER)
            yield evolve(sewer, is_implied=True, has_register=False)

    def _make_sibling(
        self,
        meter: MeterRecord,
        account_id: str,
        commodity: Commodity,
        kind: Mapping[str, str],
    ) -> MeterRecord:
        """Make another meter of the same account and site, in the same unit."""
        number = meter.identifiers[-1].value
        sibling = self._make_meter(meter.site, account_id, number, commodity)
        return evolve(
            sibling,
            kind=kind,
            unit=meter.unit,
            day_amount=self.random.between(meter.unit.low, meter.unit.high),
            has_json_numbers=meter.has_json_numbers,
        )

    def _make_meter(
        self, site: SiteRecord, account_id: str, number: str, commodity: Commodity
    ) -> MeterRecord:
        random = self.random
        is_metric = self.company.region.is_metric
        unit = random.pick(commodity.metric_units if is_metric else commodity.units)
        place = f"{self.prefix}{self.meter_count}"
        self.meter_count += 1
        return MeterRecord(
            id=self.ids.make("meter", self.company.index, place),
            site=site,
            account_id=account_id,
            address=site.address.upper(),
            country=site.path[0] if site.path else None,
            commodity=commodity,
            unit=unit,
            kind=random.pick(commodity.kinds),
            identifiers=self._make_identifiers(number, commodity),
            day_amount=random.between(unit.low, unit.high),
            tariff=random.pick(("GS-1", "GS-2", "TOU-8", "Rate 62"))
            if random.chance(600)
            else None,
            is_tracked=not random.chance(30),
            has_json_numbers=random.chance(120),
            has_time_of_use=(
                commodity.datasource_type == "ELECTRICITY"
                and unit.name == "kWh"
                and random.chance(400)
            ),
            has_register=random.chance(350),
            is_implied=False,
        )

    def _make_identifiers(
        self, number: str, commodity: Commodity
    ) -> tuple[IdentifierRecord, ...]:
        """Make the meter's numbers, and the account number, which siblings share."""
        random = self.random
        serial = random.pick(
            (
                f"MTR-{random.pick('ABCDEF')}{random.digits(6)}",
                f"00{random.digits(8)}",
                (
                    f"{random.digits(3)} {random.digits(3)}"
                    f"/{random.pick('xyz')}{random.digits(3)}"
                ),
            )
        )
        identifiers = [
            IdentifierRecord(raw_name="Meter No.", value=serial, name="METER")
        ]
        is_power = commodity.datasource_type == "ELECTRICITY"
        if is_power and self.company.region.is_metric:
            code = f"{self.company.region.country}001E{random.digits(8)}"
            identifiers.append(IdentifierRecord(raw_name="POD", value=code, name="POD"))
        elif is_power and random.chance(200):
            code = f"1044372{random.digits(10)}"
            identifiers.append(
                IdentifierRecord(raw_name="ESI ID", value=code, name="ESI")
            )
        elif random.chance(100):
            code = f"PREM_{random.digits(5)}"
            identifiers.append(
                IdentifierRecord(raw_name="Premise", value=code, name="PREMISE")
            )
        account = IdentifierRecord(
            raw_name="Account Number", value=number, name="ACCOUNT"
        )
        return (*identifiers, account)
