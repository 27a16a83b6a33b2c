"""The units of the API, in its own spelling."""

from __future__ import annotations

from nectar_async._types import OpenEnum

__all__ = ["DemandUsageUnits", "TimeOfUseBreakdownUsageUnits", "UsageUnits"]


class DemandUsageUnits(OpenEnum):
    """The unit of demand. The list is probably complete.

    A kilowatt is `kW` here, but `KW` in `UsageUnits`.
    """

    KW = "kW"
    MW = "MW"
    KVA = "kVA"
    KVAR = "kVAR"


class TimeOfUseBreakdownUsageUnits(OpenEnum):
    """The unit of one part of a time-of-use breakdown; more values may exist."""

    WH = "Wh"
    KWH = "kWh"


class UsageUnits(OpenEnum):
    """The unit of usage. The list is complete.

    Values are case-sensitive, with spaces and brackets. Names are the values in upper
    case: `UsageUnits.GAL_US` is `gal (US)`; only `100 gal` becomes `HUNDRED_GAL`. A
    kilowatt is `KW` here, but `kW` in `DemandUsageUnits`. Prefixes are those of
    utilities: `kgal` is a thousand gallons and `Mgal` a million, `mlb` a thousand
    pounds and `mbbl` a thousand barrels. CF and CUBIC_FT are the same unit, and so are
    HCF and CCF.
    """

    J = "J"
    BTU = "Btu"
    MMBTU = "MMBtu"
    KJ = "kJ"
    MJ = "MJ"
    GJ = "GJ"
    TJ = "TJ"
    THM_EC = "thm (EC)"
    THM_US = "thm (US)"
    THM_UK = "thm (UK)"
    DTH_EC = "Dth (EC)"
    DTH_US = "Dth (US)"
    DTH_UK = "Dth (UK)"
    CAL = "Cal"
    KCAL = "kCal"
    MCAL = "MCal"
    ERG = "erg"
    KVA = "kVA"
    WH = "Wh"
    KWH = "kWh"
    MWH = "MWh"
    GWH = "GWh"
    TON_HOURS = "ton hours"
    W = "W"
    KW = "KW"
    MW = "MW"
    GW = "GW"
    L = "L"
    KL = "kL"
    ML = "ML"
    CUBIC_FT = "cubic ft"
    CUBIC_YD = "cubic yd"
    CUBIC_M = "cubic m"
    MMCF = "MMCF"
    MCF = "MCF"
    HCF = "HCF"
    CF = "CF"
    CCF = "CCF"
    GAL_UK = "gal (UK)"
    GAL_US = "gal (US)"
    HUNDRED_GAL_US = "100 gal (US)"
    HUNDRED_GAL_UK = "100 gal (UK)"
    KGAL_US = "kgal (US)"
    KGAL_UK = "kgal (UK)"
    MGAL_US = "Mgal (US)"
    MGAL_UK = "Mgal (UK)"
    TEU = "teu"
    BBL = "bbl"
    MBBL = "mbbl"
    KG = "kg"
    OZ_T = "oz t"
    G = "g"
    LB = "lb"
    MLB = "mlb"
    TONS_US = "tons (US)"
    SH_TON = "sh ton"
    METRIC_TON = "metric ton"
    TONNE = "tonne"
    LONG_TN = "long tn"
    KM = "km"
    MI = "mi"
    M = "m"
    CM = "cm"
    MM = "mm"
    NM = "nm"
    YD = "yd"
    FT = "ft"
    IN = "in"
