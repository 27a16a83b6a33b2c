"""What the API calls things: kinds, types and codes. All are open: see `OpenEnum`.

A docstring says when the list of members is known to be whole. Where it does not, the
API has, or may have, values that it does not publish.
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
    """The commodity of an account, meter, bill or usage record. The list is whole."""

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
    """Which date `start_date` and `end_date` of a list are compared with.

    BILL_DATE is the date of the bill. USAGE_PERIOD takes every record that shares a
    day with the window. CREATED_DATE and UPDATED_DATE compare with midnight UTC of the
    bounds, so what happened during the end day itself is missed. The server takes
    BILL_DATE unless told otherwise, but USAGE_PERIOD for the usage of a document.

    It is sent and never received, so the list is whole.
    """

    USAGE_PERIOD = "USAGE_PERIOD"
    BILL_DATE = "BILL_DATE"
    CREATED_DATE = "CREATED_DATE"
    UPDATED_DATE = "UPDATED_DATE"


class DemandType(OpenEnum):
    """What kind of demand was billed; more values may come, perhaps free text."""

    UCAP = "UCAP"
    TRANSMISSION = "TRANSMISSION"
    CONTRACT = "CONTRACT"
    PEAK = "PEAK"


class DistrictMediumType(OpenEnum):
    """What carries district energy; more values exist."""

    HOT_WATER = "HOT_WATER"


class DistrictType(OpenEnum):
    """What district energy is for; more values may exist."""

    HEATING = "HEATING"


class ElectricityChargeType(OpenEnum):
    """Which part of the electricity service a line item pays for; more may exist."""

    SUPPLY = "SUPPLY"


class ElectricityType(OpenEnum):
    """What a record of electricity measures (v2.1), which tells demand from usage.

    The value for demand is not published: test for USAGE.
    """

    USAGE = "USAGE"


class FuelType(OpenEnum):
    """The kind of fuel; more values exist."""

    ANTHRACITE_COAL = "ANTHRACITE_COAL"


class GasChargeType(OpenEnum):
    """Which part of the gas service a line item pays for; more values may exist."""

    SUPPLY = "SUPPLY"


class GasType(OpenEnum):
    """The kind of gas; more values may exist."""

    NATURAL_GAS = "NATURAL_GAS"


class IdentifierType(OpenEnum):
    """What an identifier of a meter identifies. The list is probably whole.

    The order is that in which the identifier to display is chosen, after the types
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
    """What an invitation invites to. The list is whole.

    The dashboard calls CREATE_CONNECTION contributor, and EDIT_CONNECTION reconnect.
    """

    CREATE_CONNECTION = "CREATE_CONNECTION"
    EDIT_CONNECTION = "EDIT_CONNECTION"


class LineItemBillingPeriod(OpenEnum):
    """Which period a line item is for; more values may exist."""

    CURRENT = "CURRENT"


class LineItemChargeType(OpenEnum):
    """What a line item charges for; more values may exist."""

    TAX = "TAX"


class MeterHighLow(OpenEnum):
    """The side of a meter with two, as of compound water meters; more may exist."""

    HIGH = "HIGH"


class NetMeteringType(OpenEnum):
    """The direction of metered electricity. The list is probably whole.

    IMPORT was bought from the grid, EXPORT sent to it; GENERATION is the total
    production, where it is reported. Net usage is imports minus exports.
    """

    IMPORT = "IMPORT"
    EXPORT = "EXPORT"
    GENERATION = "GENERATION"


class RefrigerantType(OpenEnum):
    """The kind of refrigerant; more values may exist."""

    R11 = "R11"


class SourceType(OpenEnum):
    """What a document was read from; more values may exist."""

    INVOICE = "INVOICE"


class TimeOfUse(OpenEnum):
    """The time-of-use period of a tariff; more values exist, as for the shoulder."""

    PEAK = "PEAK"
    OFF_PEAK = "OFF_PEAK"


class WaterType(OpenEnum):
    """The kind of water; more values exist."""

    POTABLE_WATER = "POTABLE_WATER"
