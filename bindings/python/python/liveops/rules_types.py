"""Types of a rules document. What they cannot say, such as ranges, the schema and the reader say.

Written by `cargo xtask fix` from liveops-core/schema/rules.v1.json.
"""

from typing import Literal, NotRequired, TypeAlias, TypedDict

__all__ = [
    "RulesAction",
    "RulesAlerts",
    "RulesAmount",
    "RulesArrayField",
    "RulesAtMaxLevel",
    "RulesBoard",
    "RulesBoost",
    "RulesBossKill",
    "RulesBossTrigger",
    "RulesBuiltinId",
    "RulesBuiltinNumber",
    "RulesBundle",
    "RulesBundleItem",
    "RulesCalendar",
    "RulesCoefficient",
    "RulesCoefficients",
    "RulesConvert",
    "RulesCorroborate",
    "RulesCosts",
    "RulesCostsCurve",
    "RulesCostsPiece",
    "RulesCurve",
    "RulesDetector",
    "RulesDocument",
    "RulesDoor",
    "RulesDropClaimed",
    "RulesDropTrigger",
    "RulesElement",
    "RulesEnumElement",
    "RulesEnumField",
    "RulesEnumValues",
    "RulesEvent",
    "RulesEventTrigger",
    "RulesEventTypeName",
    "RulesEvents",
    "RulesEveryLevelsTrigger",
    "RulesEwma",
    "RulesExponentialCurve",
    "RulesExponentialPiece",
    "RulesFactor",
    "RulesFamily",
    "RulesFamilyActions",
    "RulesFamilyThresholds",
    "RulesField",
    "RulesFieldAmount",
    "RulesFieldName",
    "RulesFromLevel",
    "RulesGrant",
    "RulesIdOrField",
    "RulesIntElement",
    "RulesIntField",
    "RulesItem",
    "RulesItemOrBundle",
    "RulesItemReward",
    "RulesKeepPeriods",
    "RulesLevelTrigger",
    "RulesLevelsTrigger",
    "RulesLimits",
    "RulesLinearCurve",
    "RulesLinearPiece",
    "RulesLoot",
    "RulesLootEntry",
    "RulesLootOdds",
    "RulesLootReward",
    "RulesMaxLevel",
    "RulesMigration",
    "RulesMonthlySeasons",
    "RulesName",
    "RulesNumberOrField",
    "RulesOffsetChange",
    "RulesPayouts",
    "RulesPercentTier",
    "RulesPiece",
    "RulesPiecewiseCurve",
    "RulesPity",
    "RulesPlainElement",
    "RulesPlainField",
    "RulesPolynomialCurve",
    "RulesPolynomialPiece",
    "RulesPrior",
    "RulesProgress",
    "RulesProgression",
    "RulesQuota",
    "RulesRanksTier",
    "RulesRatio",
    "RulesRetention",
    "RulesReward",
    "RulesRobust",
    "RulesRounding",
    "RulesSeason",
    "RulesSeasonTable",
    "RulesStreak",
    "RulesStreakDayTrigger",
    "RulesStreakDaysTrigger",
    "RulesTextElement",
    "RulesTextField",
    "RulesThreshold",
    "RulesTier",
    "RulesTiers",
    "RulesTime",
    "RulesTimeFloor",
    "RulesTotals",
    "RulesTotalsCurve",
    "RulesTotalsPiece",
    "RulesTrigger",
    "RulesUintElement",
    "RulesUintField",
    "RulesWatchedDrop",
    "RulesWhere",
    "RulesXpAmount",
    "RulesXpRule",
    "RulesZScore",
]

# What is done about a finding; with allow the detector only learns.
RulesAction: TypeAlias = Literal["allow"] | Literal["flag"] | Literal["hold"]


class RulesCorroborate(TypedDict):
    """How many findings must agree, and within which time."""

    findings: int
    withinSeconds: int


class RulesAlerts(TypedDict):
    """When findings are acted upon."""

    corroborate: NotRequired[RulesCorroborate]
    perPlayerDay: NotRequired[int]

RulesFieldName: TypeAlias = str


class RulesFieldAmount(TypedDict):
    """A field of the event; events without it do not count."""

    field: RulesFieldName

# A whole number, or a field of the event.
RulesXpAmount: TypeAlias = RulesFieldAmount | int

# A whole number, a field of the event, or its XP before boosts and caps or after them.
RulesAmount: TypeAlias = Literal["requestedXp"] | Literal["grantedXp"] | RulesXpAmount


class RulesIntElement(TypedDict):
    max: NotRequired[int]
    min: NotRequired[int]
    type: Literal["int"]


class RulesUintElement(TypedDict):
    max: NotRequired[int]
    min: NotRequired[int]
    type: Literal["uint"]


class RulesPlainElement(TypedDict):
    type: Literal["decimal", "bool", "id"]


class RulesTextElement(TypedDict):
    # 1024 without it.
    maxBytes: NotRequired[int]
    # 0 without it.
    minBytes: NotRequired[int]
    type: Literal["text"]

RulesName: TypeAlias = str

RulesEnumValues: TypeAlias = list[RulesName]


class RulesEnumElement(TypedDict):
    type: Literal["enum"]
    values: RulesEnumValues

# What an array holds.
RulesElement: TypeAlias = RulesIntElement | RulesUintElement | RulesPlainElement | RulesTextElement | RulesEnumElement


class RulesArrayField(TypedDict):
    items: RulesElement
    # 64 without it.
    maxLen: NotRequired[int]
    # false without it.
    required: NotRequired[bool]
    type: Literal["array"]


class RulesItem(TypedDict):
    """So much of something of the game's own."""

    amount: int
    id: RulesName
    kind: RulesName


class RulesBundleItem(TypedDict):
    """The items of a bundle, so many times."""

    bundle: RulesName
    # 1 without it.
    times: NotRequired[int]

RulesItemOrBundle: TypeAlias = RulesBundleItem | RulesItem

# One item or bundle, or a list of them.
RulesGrant: TypeAlias = list[RulesItemOrBundle] | RulesItemOrBundle


class RulesConvert(TypedDict):
    """XP beyond the last level, turned into rewards."""

    # XP of one reward.
    every: int
    grant: RulesGrant
    # The name that its receipts bear.
    reward: RulesName


class RulesAtMaxLevel(TypedDict):
    convert: RulesConvert


class RulesKeepPeriods(TypedDict):
    """The board's windows: how many closed periods of each stay readable."""

    allTime: NotRequired[int]
    daily: NotRequired[int]
    monthly: NotRequired[int]
    seasonal: NotRequired[int]
    weekly: NotRequired[int]

RulesEventTypeName: TypeAlias = str


class RulesPercentTier(TypedDict):
    grant: RulesGrant
    # A decimal in quotes, 0.01 to 100.
    percent: str
    tier: RulesName


class RulesRanksTier(TypedDict):
    grant: RulesGrant
    # The first and the last.
    ranks: list[int]
    tier: RulesName

RulesTier: TypeAlias = RulesRanksTier | RulesPercentTier

# The first that fits pays.
RulesTiers: TypeAlias = list[RulesTier]


class RulesPayouts(TypedDict):
    """What finished periods pay, by window."""

    daily: NotRequired[RulesTiers]
    monthly: NotRequired[RulesTiers]
    seasonal: NotRequired[RulesTiers]
    weekly: NotRequired[RulesTiers]

# What fields of the event must be equal to.
RulesWhere: TypeAlias = dict[str, str | int | bool]


class RulesBoard(TypedDict):
    keepPeriods: RulesKeepPeriods
    # Any type without it.
    on: NotRequired[RulesEventTypeName]
    # `incr` without it.
    operator: NotRequired[Literal["incr", "best", "set", "decr"]]
    # `desc` without it.
    order: NotRequired[Literal["desc", "asc"]]
    payouts: NotRequired[RulesPayouts]
    # `ordinal` without it.
    ranking: NotRequired[Literal["ordinal", "competition", "dense"]]
    # Decides between equal values.
    subvalue: NotRequired[RulesAmount]
    # `firstToReach` without it.
    ties: NotRequired[Literal["firstToReach", "lastToReach", "ownerId"]]
    value: RulesAmount
    where: NotRequired[RulesWhere]

# A decimal above 0 such as "1.2", or a fraction such as "4/3", in quotes: a number with a point has no exact binary form.
RulesRatio: TypeAlias = str

# YYYY-MM-DDTHH:MM:SSZ, in UTC.
RulesTime: TypeAlias = str

RulesBoost = TypedDict(
    "RulesBoost",
    {
        "factor": RulesRatio,
        # Included.
        "from": RulesTime,
        "id": RulesName,
        # Excluded.
        "until": RulesTime,
    },
)


class RulesIntField(TypedDict):
    max: NotRequired[int]
    min: NotRequired[int]
    # false without it.
    required: NotRequired[bool]
    type: Literal["int"]


class RulesUintField(TypedDict):
    max: NotRequired[int]
    min: NotRequired[int]
    # false without it.
    required: NotRequired[bool]
    type: Literal["uint"]


class RulesPlainField(TypedDict):
    # false without it.
    required: NotRequired[bool]
    type: Literal["decimal", "bool", "id"]


class RulesTextField(TypedDict):
    # 1024 without it.
    maxBytes: NotRequired[int]
    # 0 without it.
    minBytes: NotRequired[int]
    # false without it.
    required: NotRequired[bool]
    type: Literal["text"]


class RulesEnumField(TypedDict):
    # false without it.
    required: NotRequired[bool]
    type: Literal["enum"]
    values: RulesEnumValues

# A field of an event.
RulesField: TypeAlias = RulesIntField | RulesUintField | RulesPlainField | RulesTextField | RulesEnumField | RulesArrayField


class RulesBuiltinId(TypedDict):
    required: NotRequired[bool]

# An id as it is built in, or a field of another type.
RulesIdOrField: TypeAlias = RulesField | RulesBuiltinId


class RulesBuiltinNumber(TypedDict):
    max: NotRequired[int]
    min: NotRequired[int]
    required: NotRequired[bool]

# A whole number as it is built in, or a field of another type.
RulesNumberOrField: TypeAlias = RulesField | RulesBuiltinNumber


class RulesBossKill(TypedDict):
    """What is said of a type that is built in; the rest stays."""

    fields: NotRequired[dict[str, RulesField | RulesIdOrField | RulesNumberOrField]]
    unknownFields: NotRequired[Literal["deny", "ignore", "keep"]]


class RulesBossTrigger(TypedDict):
    boss: RulesName
    difficulty: NotRequired[RulesName]
    # `any` without it.
    kill: NotRequired[Literal["first", "repeat", "any"]]
    where: NotRequired[RulesWhere]

# One item, or a list of them.
RulesBundle: TypeAlias = list[RulesItem] | RulesItem


class RulesMonthlySeasons(TypedDict):
    every: Literal["month"]
    # `YYYY-MM` without it.
    label: NotRequired[Literal["YYYY-MM"]]

RulesSeason = TypedDict(
    "RulesSeason",
    {
        # Included.
        "from": RulesTime,
        "label": RulesName,
        # Excluded.
        "until": RulesTime,
    },
)


class RulesSeasonTable(TypedDict):
    table: list[RulesSeason]

RulesOffsetChange = TypedDict(
    "RulesOffsetChange",
    {
        "from": RulesTime,
        "minutes": int,
    },
)


class RulesCalendar(TypedDict):
    """When periods begin and close."""

    # 0 without it.
    graceSeconds: NotRequired[int]
    # 0 without it.
    resetMinute: NotRequired[int]
    seasons: NotRequired[RulesSeasonTable | RulesMonthlySeasons]
    utcOffsetChanges: NotRequired[list[RulesOffsetChange]]
    # 0 without it.
    utcOffsetMinutes: NotRequired[int]
    # `monday` without it.
    weekStart: NotRequired[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]]

# A decimal or a fraction in quotes, also below 0.
RulesCoefficient: TypeAlias = str

# Of the level to the power of 0, 1, 2 and so on.
RulesCoefficients: TypeAlias = list[RulesCoefficient]

# XP from each level to the next.
RulesCosts: TypeAlias = list[int]

RulesMaxLevel: TypeAlias = int

RulesRounding: TypeAlias = Literal["floor"] | Literal["ceil"] | Literal["nearest"]


class RulesCostsCurve(TypedDict):
    costs: RulesCosts
    # false without it.
    cumulative: NotRequired[Literal[False]]
    kind: Literal["table"]
    maxLevel: NotRequired[RulesMaxLevel]
    # `floor` without it.
    rounding: NotRequired[RulesRounding]

RulesFromLevel: TypeAlias = int


class RulesCostsPiece(TypedDict):
    costs: RulesCosts
    fromLevel: RulesFromLevel
    kind: Literal["table"]
    rounding: NotRequired[RulesRounding]

# XP at which each level starts.
RulesTotals: TypeAlias = list[int]


class RulesTotalsCurve(TypedDict):
    # false without it.
    cumulative: NotRequired[bool]
    kind: Literal["table"]
    maxLevel: NotRequired[RulesMaxLevel]
    # `floor` without it.
    rounding: NotRequired[RulesRounding]
    totals: RulesTotals


class RulesLinearCurve(TypedDict):
    """base + step × (level - 1)."""

    base: int
    # false without it.
    cumulative: NotRequired[bool]
    kind: Literal["linear"]
    maxLevel: RulesMaxLevel
    # `floor` without it.
    rounding: NotRequired[RulesRounding]
    step: int


class RulesFactor(TypedDict):
    """A polynomial that is rounded by itself before the product is."""

    coefficients: RulesCoefficients
    # `floor` without it.
    rounding: NotRequired[RulesRounding]


class RulesPolynomialCurve(TypedDict):
    coefficients: RulesCoefficients
    # false without it.
    cumulative: NotRequired[bool]
    kind: Literal["polynomial"]
    maxLevel: RulesMaxLevel
    # `floor` without it.
    rounding: NotRequired[RulesRounding]
    times: NotRequired[RulesFactor]


class RulesExponentialCurve(TypedDict):
    """base × growth to the power of (level - 1)."""

    base: int
    # false without it.
    cumulative: NotRequired[bool]
    growth: RulesRatio
    kind: Literal["exponential"]
    maxLevel: RulesMaxLevel
    # `floor` without it.
    rounding: NotRequired[RulesRounding]


class RulesTotalsPiece(TypedDict):
    fromLevel: RulesFromLevel
    kind: Literal["table"]
    rounding: NotRequired[RulesRounding]
    totals: RulesTotals


class RulesLinearPiece(TypedDict):
    base: int
    fromLevel: RulesFromLevel
    kind: Literal["linear"]
    rounding: NotRequired[RulesRounding]
    step: int


class RulesPolynomialPiece(TypedDict):
    coefficients: RulesCoefficients
    fromLevel: RulesFromLevel
    kind: Literal["polynomial"]
    rounding: NotRequired[RulesRounding]
    times: NotRequired[RulesFactor]


class RulesExponentialPiece(TypedDict):
    base: int
    fromLevel: RulesFromLevel
    growth: RulesRatio
    kind: Literal["exponential"]
    rounding: NotRequired[RulesRounding]

# A curve that holds from a level on, and counts its levels anew.
RulesPiece: TypeAlias = RulesTotalsPiece | RulesCostsPiece | RulesLinearPiece | RulesPolynomialPiece | RulesExponentialPiece


class RulesPiecewiseCurve(TypedDict):
    """Curves one after the other."""

    # false without it.
    cumulative: NotRequired[bool]
    kind: Literal["piecewise"]
    maxLevel: NotRequired[RulesMaxLevel]
    pieces: list[RulesPiece]
    # `floor` without it.
    rounding: NotRequired[RulesRounding]

# What each level costs.
RulesCurve: TypeAlias = RulesTotalsCurve | RulesCostsCurve | RulesLinearCurve | RulesPolynomialCurve | RulesExponentialCurve | RulesPiecewiseCurve

# A decimal in quotes, above 0, at most 1,000,000.
RulesThreshold: TypeAlias = str


class RulesZScore(TypedDict):
    # `flag` without it.
    action: NotRequired[RulesAction]
    kind: Literal["zScore"]
    # Any type without it.
    on: NotRequired[RulesEventTypeName]
    # `3` without it.
    threshold: NotRequired[RulesThreshold]
    # `requestedXp` without it.
    value: NotRequired[RulesAmount]
    where: NotRequired[RulesWhere]


class RulesEwma(TypedDict):
    # `flag` without it.
    action: NotRequired[RulesAction]
    kind: Literal["ewma"]
    # Any type without it.
    on: NotRequired[RulesEventTypeName]
    # 50 without it.
    span: NotRequired[int]
    # `3` without it.
    threshold: NotRequired[RulesThreshold]
    # `requestedXp` without it.
    value: NotRequired[RulesAmount]
    where: NotRequired[RulesWhere]


class RulesPrior(TypedDict):
    """What is known of a value before a player has shown any, of ln(1 + x); decimals in quotes."""

    mean: str
    sd: str
    # In events.
    weight: str


class RulesRobust(TypedDict):
    # `flag` without it.
    action: NotRequired[RulesAction]
    kind: Literal["robust"]
    # Any type without it.
    on: NotRequired[RulesEventTypeName]
    prior: NotRequired[RulesPrior]
    # `3` without it.
    threshold: NotRequired[RulesThreshold]
    # `requestedXp` without it.
    value: NotRequired[RulesAmount]
    where: NotRequired[RulesWhere]


class RulesTimeFloor(TypedDict):
    # `flag` without it.
    action: NotRequired[RulesAction]
    boss: RulesName
    kind: Literal["timeFloor"]
    # The shortest possible kill.
    minimumMs: int


class RulesFamilyActions(TypedDict):
    drift: NotRequired[RulesAction]
    dropRate: NotRequired[RulesAction]
    regularity: NotRequired[RulesAction]
    robust: NotRequired[RulesAction]
    timeFloor: NotRequired[RulesAction]


class RulesLootOdds(TypedDict):
    entry: RulesName
    loot: RulesName


class RulesWatchedDrop(TypedDict):
    boss: RulesName
    # A decimal in quotes, above 0 and below 1; or those of an entry of a loot table.
    odds: RulesLootOdds | str


class RulesFamilyThresholds(TypedDict):
    drift: NotRequired[RulesThreshold]
    dropRate: NotRequired[RulesThreshold]
    regularity: NotRequired[RulesThreshold]
    robust: NotRequired[RulesThreshold]
    timeFloor: NotRequired[RulesThreshold]


class RulesFamily(TypedDict):
    # `flag` without it.
    action: NotRequired[RulesFamilyActions | RulesAction]
    drops: NotRequired[dict[str, RulesWatchedDrop]]
    # The shortest possible kill of each boss, in milliseconds.
    floors: NotRequired[dict[str, int]]
    kind: Literal["family"]
    # Any type without it.
    on: NotRequired[RulesEventTypeName]
    thresholds: NotRequired[RulesFamilyThresholds]
    where: NotRequired[RulesWhere]

RulesDetector: TypeAlias = RulesZScore | RulesEwma | RulesRobust | RulesTimeFloor | RulesFamily


class RulesQuota(TypedDict):
    # The limit without it.
    burst: NotRequired[int]
    # What was used is counted under it.
    id: NotRequired[RulesName]
    limit: int
    per: Literal["ip", "player"]
    periodSeconds: int


class RulesDoor(TypedDict):
    """How many events are let in; no part of the rules' hash."""

    quotas: NotRequired[list[RulesQuota]]


class RulesEvent(TypedDict):
    """A type of event."""

    fields: NotRequired[dict[str, RulesField]]
    # `deny` without it.
    unknownFields: NotRequired[Literal["deny", "ignore", "keep"]]


class RulesDropClaimed(TypedDict):
    """What is said of a type that is built in; the rest stays."""

    fields: NotRequired[dict[str, RulesField | RulesIdOrField | RulesNumberOrField]]
    unknownFields: NotRequired[Literal["deny", "ignore", "keep"]]


class RulesProgression(TypedDict):
    """What is said of a type that is built in; the rest stays."""

    fields: NotRequired[dict[str, RulesField | RulesIdOrField | RulesNumberOrField]]
    unknownFields: NotRequired[Literal["deny", "ignore", "keep"]]

# Types of events beside the three that are built in, and what is said of those; or "guide".
RulesEvents: TypeAlias = Literal["guide"] | dict[str, RulesEvent | RulesBossKill | RulesDropClaimed | RulesProgression]


class RulesLimits(TypedDict):
    """How old an event may be when it comes, and how far ahead."""

    # 300 without it.
    maxFutureSeconds: NotRequired[int]
    # 86400 without it.
    maxPastSeconds: NotRequired[int]


class RulesLootEntry(TypedDict):
    grant: NotRequired[RulesGrant]
    weight: int


class RulesPity(TypedDict):
    entry: RulesName
    # Which roll in a row without the entry gives it.
    guaranteedAt: int


class RulesLoot(TypedDict):
    """A table that is rolled on."""

    entries: dict[str, RulesLootEntry]
    # Beside what is rolled.
    guaranteed: NotRequired[RulesGrant]
    pity: NotRequired[RulesPity]

RulesMigration = TypedDict(
    "RulesMigration",
    {
        "from": RulesCurve,
        # Whether levels that are reached by it are rewarded.
        "levelRewards": Literal["grant", "skip"],
        # false without it.
        "neverLoseALevel": NotRequired[bool],
        "policy": Literal["keepTotalXp", "keepLevelAndFraction", "keepEffort"],
    },
)
RulesMigration.__doc__ = "How players leave an earlier curve for the next."


class RulesStreak(TypedDict):
    """Days in a row on which the player did something."""

    # 0 without it.
    missedDaysMax: NotRequired[int]
    # Any type without it.
    on: NotRequired[RulesEventTypeName]
    where: NotRequired[RulesWhere]


class RulesXpRule(TypedDict):
    amount: RulesXpAmount
    # Any type without it.
    on: NotRequired[RulesEventTypeName]
    where: NotRequired[RulesWhere]


class RulesProgress(TypedDict):
    """Experience and levels."""

    # What becomes of XP beyond the last level. `bank` without it.
    atMaxLevel: NotRequired[RulesAtMaxLevel | Literal["bank"] | Literal["discard"]]
    # `multiply` without it.
    boostStacking: NotRequired[Literal["multiply", "add", "highest"]]
    boosts: NotRequired[list[RulesBoost]]
    curve: RulesCurve
    dailyXpCap: NotRequired[int]
    # How far XP can be taken; required where an amount can be below 0.
    floor: NotRequired[Literal["level", "zero"]]
    # Earlier curves, oldest first.
    migrations: NotRequired[list[RulesMigration]]
    streaks: NotRequired[dict[str, RulesStreak]]
    # What events are worth, all that match added up; without it, what their `deltaXp` asks.
    xp: NotRequired[list[RulesXpRule]]


class RulesRetention(TypedDict):
    """How much is kept of a player."""

    # 1000 without it.
    receiptsPerPlayer: NotRequired[int]
    # 90 without it.
    suspicionsDays: NotRequired[int]


class RulesLevelTrigger(TypedDict):
    level: int


class RulesLevelsTrigger(TypedDict):
    # 1 without it.
    everyLevels: NotRequired[int]
    # The first and the last.
    levels: list[int]


class RulesEveryLevelsTrigger(TypedDict):
    # Levels that it divides.
    everyLevels: int


class RulesDropTrigger(TypedDict):
    drop: RulesName
    where: NotRequired[RulesWhere]


class RulesStreakDayTrigger(TypedDict):
    day: int
    streak: RulesName


class RulesStreakDaysTrigger(TypedDict):
    everyDays: int
    streak: RulesName


class RulesEventTrigger(TypedDict):
    event: RulesEventTypeName
    where: NotRequired[RulesWhere]

# What sets a reward off.
RulesTrigger: TypeAlias = RulesLevelTrigger | RulesLevelsTrigger | RulesEveryLevelsTrigger | RulesBossTrigger | RulesDropTrigger | RulesStreakDayTrigger | RulesStreakDaysTrigger | RulesEventTrigger


class RulesItemReward(TypedDict):
    # Given at once without it.
    claimWithinSeconds: NotRequired[int]
    grant: RulesGrant
    on: RulesTrigger


class RulesLootReward(TypedDict):
    # Given at once without it.
    claimWithinSeconds: NotRequired[int]
    # A loot table.
    loot: RulesName
    on: RulesTrigger

# Items, or a roll on a loot table, when something happens.
RulesReward: TypeAlias = RulesLootReward | RulesItemReward

RulesDocument = TypedDict(
    "RulesDocument",
    {
        # Where the schema of this document is: for editors, no part of the rules.
        "$schema": NotRequired[str],
        # What detectors keep apart; add new ones at the end.
        "activities": NotRequired[list[RulesName]],
        "alerts": NotRequired[RulesAlerts],
        # Leaderboards, by name.
        "boards": NotRequired[dict[str, RulesBoard]],
        # Items that go together, by name.
        "bundles": NotRequired[dict[str, RulesBundle]],
        "calendar": NotRequired[RulesCalendar],
        # What is watched, by name.
        "detectors": NotRequired[dict[str, RulesDetector]],
        "door": NotRequired[RulesDoor],
        "events": NotRequired[RulesEvents],
        # Part of every receipt's id: it stays for ever.
        "game": RulesName,
        "limits": NotRequired[RulesLimits],
        # Loot tables, by name.
        "loot": NotRequired[dict[str, RulesLoot]],
        "progress": NotRequired[RulesProgress],
        "retention": NotRequired[RulesRetention],
        # Boards that are no more.
        "retiredBoards": NotRequired[list[RulesName]],
        # What is given when, by name.
        "rewards": NotRequired[dict[str, RulesReward]],
        "version": Literal[1],
    },
)
RulesDocument.__doc__ = "The whole document."
