"""The types and codes of the API. All are open enums: see `OpenEnum`.

A docstring says if the list of members is known to be whole. Otherwise the API has, or
may have, further values that are not documented.
"""

from __future__ import annotations

from nectar_async._types import OpenEnum

__all__ = [
    "CurrencyCode",
    "DatasourceType",
    "DateType",
    "DemandType",
    "DistrictMediumType",
    "DistrictType",
    "ElectricityChargeType",
    "ElectricityType",
    "FuelType",
    "GasChargeType",
    "GasType",
    "IdentifierType",
    "InvitationType",
    "LineItemBillingPeriod",
    "LineItemChargeType",
    "MeterHighLow",
    "NetMeteringType",
    "RefrigerantType",
    "SourceType",
    "TimeOfUse",
    "WaterType",
]


class CurrencyCode(OpenEnum):
    """The currency of charges, an ISO 4217 code; any other code may come too."""

    USD = "USD"
    EUR = "EUR"


class DatasourceType(OpenEnum):
    """The commodity of an account, meter, bill or usage record.

    The list is complete.
    """

    ELECTRICITY = "ELECTRICITY"
    GAS = "GAS"
    WATER = "WATER"
    DISTRICT = "DISTRICT"
    WASTE = "WASTE"
    FUEL = "FUEL"
    MISC = "MISC"
    REFRIGERANT = "REFRIGERANT"
    SOLAR = "SOLAR"
    TELECOM = "TELECOM"


class DateType(OpenEnum):
    """The date that the window of a list, `start_date` to `end_date`, applies to.

    BILL_DATE is the date of the bill; records without a bill are left out. USAGE_PERIOD
    takes every record that shares a day with the window. CREATED_DATE and UPDATED_DATE
    compare with midnight UTC of the bounds, so changes during the end day itself are
    missed. The server's default is BILL_DATE, but USAGE_PERIOD for the usage of a
    document.

    It is sent and never received, so the list is complete.
    """

    USAGE_PERIOD = "USAGE_PERIOD"
    BILL_DATE = "BILL_DATE"
    CREATED_DATE = "CREATED_DATE"
    UPDATED_DATE = "UPDATED_DATE"


class DemandType(OpenEnum):
    """The kind of billed demand; more values may exist, perhaps free text."""

    UCAP = "UCAP"
    TRANSMISSION = "TRANSMISSION"
    CONTRACT = "CONTRACT"
    PEAK = "PEAK"


class DistrictMediumType(OpenEnum):
    """The medium of district energy; more values exist."""

    HOT_WATER = "HOT_WATER"


class DistrictType(OpenEnum):
    """The purpose of district energy; more values may exist."""

    HEATING = "HEATING"


class ElectricityChargeType(OpenEnum):
    """The part of the electricity service that a line item is for, as far as known."""

    SUPPLY = "SUPPLY"


class ElectricityType(OpenEnum):
    """Whether a record of electricity is usage or demand (v2.1).

    The value for demand is not documented: test for USAGE.
    """

    USAGE = "USAGE"


class FuelType(OpenEnum):
    """The kind of fuel; more values exist."""

    ANTHRACITE_COAL = "ANTHRACITE_COAL"


class GasChargeType(OpenEnum):
    """The part of the gas service that a line item is for; more values may exist."""

    SUPPLY = "SUPPLY"


class GasType(OpenEnum):
    """The kind of gas; more values may exist."""

    NATURAL_GAS = "NATURAL_GAS"


class IdentifierType(OpenEnum):
    """The type of a meter's identifier. The list is probably complete.

    The order is the one in which the identifier to display is chosen, after the types
    that an account prefers. POD is a European point of delivery, ESI is for
    electricity in Texas, MPR for gas in the United Kingdom, ICP a connection point in
    New Zealand, NMI for electricity and MIRN for gas in Australia.
    """

    METER = "METER"
    POD = "POD"
    ELECTRIC_CHOICE = "ELECTRIC_CHOICE"
    PREMISE = "PREMISE"
    SUBMETER = "SUBMETER"
    ESI = "ESI"
    CHOICE_ID = "CHOICE_ID"
    SUB_ACCOUNT = "SUB_ACCOUNT"
    ACCOUNT = "ACCOUNT"
    SUMMARY_ACCOUNT = "SUMMARY_ACCOUNT"
    MPR = "MPR"
    ICP = "ICP"
    NMI = "NMI"
    MIRN = "MIRN"


class InvitationType(OpenEnum):
    """The purpose of an invitation. The list is complete.

    The dashboard calls CREATE_CONNECTION contributor, and EDIT_CONNECTION reconnect.
    """

    CREATE_CONNECTION = "CREATE_CONNECTION"
    EDIT_CONNECTION = "EDIT_CONNECTION"


class LineItemBillingPeriod(OpenEnum):
    """The billing period of a line item; more values may exist."""

    CURRENT = "CURRENT"


class LineItemChargeType(OpenEnum):
    """The type of a line item's charge; more values may exist."""

    TAX = "TAX"


class MeterHighLow(OpenEnum):
    """The side of a meter with two, such as a compound water meter, as far as known."""

    HIGH = "HIGH"


class NetMeteringType(OpenEnum):
    """The direction of metered electricity. The list is probably complete.

    IMPORT was bought from the grid and EXPORT was sent to it. GENERATION is the total
    production, if it is reported. Net usage is imports minus exports.
    """

    IMPORT = "IMPORT"
    EXPORT = "EXPORT"
    GENERATION = "GENERATION"


class RefrigerantType(OpenEnum):
    """The kind of refrigerant; more values may exist."""

    R11 = "R11"


class SourceType(OpenEnum):
    """The source of a document; more values may exist."""

    INVOICE = "INVOICE"


class TimeOfUse(OpenEnum):
    """The time-of-use period of a tariff; more values exist, such as the shoulder."""

    PEAK = "PEAK"
    OFF_PEAK = "OFF_PEAK"


class WaterType(OpenEnum):
    """The kind of water; more values exist."""

    POTABLE_WATER = "POTABLE_WATER"
