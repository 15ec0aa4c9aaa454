// Types of a rules document. What they cannot say, such as ranges, the schema and the reader say.
// Written by `cargo xtask fix` from liveops-core/schema/rules.v1.json.

/** What is done about a finding; with allow the detector only learns. */
export type RulesAction = 'allow' | 'flag' | 'hold'

/** How many findings must agree, and within which time. */
export interface RulesCorroborate {
  readonly findings: number
  readonly withinSeconds: number
}

/** When findings are acted upon. */
export interface RulesAlerts {
  readonly corroborate?: RulesCorroborate
  readonly perPlayerDay?: number
}

export type RulesFieldName = string

/** A field of the event; events without it do not count. */
export interface RulesFieldAmount {
  readonly field: RulesFieldName
}

/** A whole number, or a field of the event. */
export type RulesXpAmount = RulesFieldAmount | number

/** A whole number, a field of the event, or its XP before boosts and caps or after them. */
export type RulesAmount = 'requestedXp' | 'grantedXp' | RulesXpAmount

export interface RulesIntElement {
  readonly max?: number
  readonly min?: number
  readonly type: 'int'
}

export interface RulesUintElement {
  readonly max?: number
  readonly min?: number
  readonly type: 'uint'
}

export interface RulesPlainElement {
  readonly type: 'decimal' | 'bool' | 'id'
}

export interface RulesTextElement {
  /** 1024 without it. */
  readonly maxBytes?: number
  /** 0 without it. */
  readonly minBytes?: number
  readonly type: 'text'
}

export type RulesName = string

export type RulesEnumValues = readonly RulesName[]

export interface RulesEnumElement {
  readonly type: 'enum'
  readonly values: RulesEnumValues
}

/** What an array holds. */
export type RulesElement = RulesIntElement | RulesUintElement | RulesPlainElement | RulesTextElement | RulesEnumElement

export interface RulesArrayField {
  readonly items: RulesElement
  /** 64 without it. */
  readonly maxLen?: number
  /** false without it. */
  readonly required?: boolean
  readonly type: 'array'
}

/** So much of something of the game's own. */
export interface RulesItem {
  readonly amount: number
  readonly id: RulesName
  readonly kind: RulesName
}

/** The items of a bundle, so many times. */
export interface RulesBundleItem {
  readonly bundle: RulesName
  /** 1 without it. */
  readonly times?: number
}

export type RulesItemOrBundle = RulesBundleItem | RulesItem

/** One item or bundle, or a list of them. */
export type RulesGrant = readonly RulesItemOrBundle[] | RulesItemOrBundle

/** XP beyond the last level, turned into rewards. */
export interface RulesConvert {
  /** XP of one reward. */
  readonly every: number
  readonly grant: RulesGrant
  /** The name that its receipts bear. */
  readonly reward: RulesName
}

export interface RulesAtMaxLevel {
  readonly convert: RulesConvert
}

/** The board's windows: how many closed periods of each stay readable. */
export interface RulesKeepPeriods {
  readonly allTime?: number
  readonly daily?: number
  readonly monthly?: number
  readonly seasonal?: number
  readonly weekly?: number
}

export type RulesEventTypeName = string

export interface RulesPercentTier {
  readonly grant: RulesGrant
  /** A decimal in quotes, 0.01 to 100. */
  readonly percent: string
  readonly tier: RulesName
}

export interface RulesRanksTier {
  readonly grant: RulesGrant
  /** The first and the last. */
  readonly ranks: readonly [number, number]
  readonly tier: RulesName
}

export type RulesTier = RulesRanksTier | RulesPercentTier

/** The first that fits pays. */
export type RulesTiers = readonly RulesTier[]

/** What finished periods pay, by window. */
export interface RulesPayouts {
  readonly daily?: RulesTiers
  readonly monthly?: RulesTiers
  readonly seasonal?: RulesTiers
  readonly weekly?: RulesTiers
}

/** What fields of the event must be equal to. */
export type RulesWhere = { readonly [name: string]: string | number | boolean }

export interface RulesBoard {
  readonly keepPeriods: RulesKeepPeriods
  /** Any type without it. */
  readonly on?: RulesEventTypeName
  /** `incr` without it. */
  readonly operator?: 'incr' | 'best' | 'set' | 'decr'
  /** `desc` without it. */
  readonly order?: 'desc' | 'asc'
  readonly payouts?: RulesPayouts
  /** `ordinal` without it. */
  readonly ranking?: 'ordinal' | 'competition' | 'dense'
  /** Decides between equal values. */
  readonly subvalue?: RulesAmount
  /** `firstToReach` without it. */
  readonly ties?: 'firstToReach' | 'lastToReach' | 'ownerId'
  readonly value: RulesAmount
  readonly where?: RulesWhere
}

/** A decimal above 0 such as "1.2", or a fraction such as "4/3", in quotes: a number with a point has no exact binary form. */
export type RulesRatio = string

/** YYYY-MM-DDTHH:MM:SSZ, in UTC. */
export type RulesTime = string

export interface RulesBoost {
  readonly factor: RulesRatio
  /** Included. */
  readonly from: RulesTime
  readonly id: RulesName
  /** Excluded. */
  readonly until: RulesTime
}

export interface RulesIntField {
  readonly max?: number
  readonly min?: number
  /** false without it. */
  readonly required?: boolean
  readonly type: 'int'
}

export interface RulesUintField {
  readonly max?: number
  readonly min?: number
  /** false without it. */
  readonly required?: boolean
  readonly type: 'uint'
}

export interface RulesPlainField {
  /** false without it. */
  readonly required?: boolean
  readonly type: 'decimal' | 'bool' | 'id'
}

export interface RulesTextField {
  /** 1024 without it. */
  readonly maxBytes?: number
  /** 0 without it. */
  readonly minBytes?: number
  /** false without it. */
  readonly required?: boolean
  readonly type: 'text'
}

export interface RulesEnumField {
  /** false without it. */
  readonly required?: boolean
  readonly type: 'enum'
  readonly values: RulesEnumValues
}

/** A field of an event. */
export type RulesField = RulesIntField | RulesUintField | RulesPlainField | RulesTextField | RulesEnumField | RulesArrayField

export interface RulesBuiltinId {
  readonly required?: boolean
}

/** An id as it is built in, or a field of another type. */
export type RulesIdOrField = RulesField | RulesBuiltinId

export interface RulesBuiltinNumber {
  readonly max?: number
  readonly min?: number
  readonly required?: boolean
}

/** A whole number as it is built in, or a field of another type. */
export type RulesNumberOrField = RulesField | RulesBuiltinNumber

/** What is said of a type that is built in; the rest stays. */
export interface RulesBossKill {
  readonly fields?: { readonly [name: string]: RulesField | RulesIdOrField | RulesNumberOrField }
  readonly unknownFields?: 'deny' | 'ignore' | 'keep'
}

export interface RulesBossTrigger {
  readonly boss: RulesName
  readonly difficulty?: RulesName
  /** `any` without it. */
  readonly kill?: 'first' | 'repeat' | 'any'
  readonly where?: RulesWhere
}

/** One item, or a list of them. */
export type RulesBundle = readonly RulesItem[] | RulesItem

export interface RulesMonthlySeasons {
  readonly every: 'month'
  /** `YYYY-MM` without it. */
  readonly label?: 'YYYY-MM'
}

export interface RulesSeason {
  /** Included. */
  readonly from: RulesTime
  readonly label: RulesName
  /** Excluded. */
  readonly until: RulesTime
}

export interface RulesSeasonTable {
  readonly table: readonly RulesSeason[]
}

export interface RulesOffsetChange {
  readonly from: RulesTime
  readonly minutes: number
}

/** When periods begin and close. */
export interface RulesCalendar {
  /** 0 without it. */
  readonly graceSeconds?: number
  /** 0 without it. */
  readonly resetMinute?: number
  readonly seasons?: RulesSeasonTable | RulesMonthlySeasons
  readonly utcOffsetChanges?: readonly RulesOffsetChange[]
  /** 0 without it. */
  readonly utcOffsetMinutes?: number
  /** `monday` without it. */
  readonly weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday'
}

/** A decimal or a fraction in quotes, also below 0. */
export type RulesCoefficient = string

/** Of the level to the power of 0, 1, 2 and so on. */
export type RulesCoefficients = readonly RulesCoefficient[]

/** XP from each level to the next. */
export type RulesCosts = readonly number[]

export type RulesMaxLevel = number

export type RulesRounding = 'floor' | 'ceil' | 'nearest'

export interface RulesCostsCurve {
  readonly costs: RulesCosts
  /** false without it. */
  readonly cumulative?: false
  readonly kind: 'table'
  readonly maxLevel?: RulesMaxLevel
  /** `floor` without it. */
  readonly rounding?: RulesRounding
}

export type RulesFromLevel = number

export interface RulesCostsPiece {
  readonly costs: RulesCosts
  readonly fromLevel: RulesFromLevel
  readonly kind: 'table'
  readonly rounding?: RulesRounding
}

/** XP at which each level starts. */
export type RulesTotals = readonly number[]

export interface RulesTotalsCurve {
  /** false without it. */
  readonly cumulative?: boolean
  readonly kind: 'table'
  readonly maxLevel?: RulesMaxLevel
  /** `floor` without it. */
  readonly rounding?: RulesRounding
  readonly totals: RulesTotals
}

/** base + step × (level - 1). */
export interface RulesLinearCurve {
  readonly base: number
  /** false without it. */
  readonly cumulative?: boolean
  readonly kind: 'linear'
  readonly maxLevel: RulesMaxLevel
  /** `floor` without it. */
  readonly rounding?: RulesRounding
  readonly step: number
}

/** A polynomial that is rounded by itself before the product is. */
export interface RulesFactor {
  readonly coefficients: RulesCoefficients
  /** `floor` without it. */
  readonly rounding?: RulesRounding
}

export interface RulesPolynomialCurve {
  readonly coefficients: RulesCoefficients
  /** false without it. */
  readonly cumulative?: boolean
  readonly kind: 'polynomial'
  readonly maxLevel: RulesMaxLevel
  /** `floor` without it. */
  readonly rounding?: RulesRounding
  readonly times?: RulesFactor
}

/** base × growth to the power of (level - 1). */
export interface RulesExponentialCurve {
  readonly base: number
  /** false without it. */
  readonly cumulative?: boolean
  readonly growth: RulesRatio
  readonly kind: 'exponential'
  readonly maxLevel: RulesMaxLevel
  /** `floor` without it. */
  readonly rounding?: RulesRounding
}

export interface RulesTotalsPiece {
  readonly fromLevel: RulesFromLevel
  readonly kind: 'table'
  readonly rounding?: RulesRounding
  readonly totals: RulesTotals
}

export interface RulesLinearPiece {
  readonly base: number
  readonly fromLevel: RulesFromLevel
  readonly kind: 'linear'
  readonly rounding?: RulesRounding
  readonly step: number
}

export interface RulesPolynomialPiece {
  readonly coefficients: RulesCoefficients
  readonly fromLevel: RulesFromLevel
  readonly kind: 'polynomial'
  readonly rounding?: RulesRounding
  readonly times?: RulesFactor
}

export interface RulesExponentialPiece {
  readonly base: number
  readonly fromLevel: RulesFromLevel
  readonly growth: RulesRatio
  readonly kind: 'exponential'
  readonly rounding?: RulesRounding
}

/** A curve that holds from a level on, and counts its levels anew. */
export type RulesPiece = RulesTotalsPiece | RulesCostsPiece | RulesLinearPiece | RulesPolynomialPiece | RulesExponentialPiece

/** Curves one after the other. */
export interface RulesPiecewiseCurve {
  /** false without it. */
  readonly cumulative?: boolean
  readonly kind: 'piecewise'
  readonly maxLevel?: RulesMaxLevel
  readonly pieces: readonly RulesPiece[]
  /** `floor` without it. */
  readonly rounding?: RulesRounding
}

/** What each level costs. */
export type RulesCurve = RulesTotalsCurve | RulesCostsCurve | RulesLinearCurve | RulesPolynomialCurve | RulesExponentialCurve | RulesPiecewiseCurve

/** A decimal in quotes, above 0, at most 1,000,000. */
export type RulesThreshold = string

export interface RulesZScore {
  /** `flag` without it. */
  readonly action?: RulesAction
  readonly kind: 'zScore'
  /** Any type without it. */
  readonly on?: RulesEventTypeName
  /** `3` without it. */
  readonly threshold?: RulesThreshold
  /** `requestedXp` without it. */
  readonly value?: RulesAmount
  readonly where?: RulesWhere
}

export interface RulesEwma {
  /** `flag` without it. */
  readonly action?: RulesAction
  readonly kind: 'ewma'
  /** Any type without it. */
  readonly on?: RulesEventTypeName
  /** 50 without it. */
  readonly span?: number
  /** `3` without it. */
  readonly threshold?: RulesThreshold
  /** `requestedXp` without it. */
  readonly value?: RulesAmount
  readonly where?: RulesWhere
}

/** What is known of a value before a player has shown any, of ln(1 + x); decimals in quotes. */
export interface RulesPrior {
  readonly mean: string
  readonly sd: string
  /** In events. */
  readonly weight: string
}

export interface RulesRobust {
  /** `flag` without it. */
  readonly action?: RulesAction
  readonly kind: 'robust'
  /** Any type without it. */
  readonly on?: RulesEventTypeName
  readonly prior?: RulesPrior
  /** `3` without it. */
  readonly threshold?: RulesThreshold
  /** `requestedXp` without it. */
  readonly value?: RulesAmount
  readonly where?: RulesWhere
}

export interface RulesTimeFloor {
  /** `flag` without it. */
  readonly action?: RulesAction
  readonly boss: RulesName
  readonly kind: 'timeFloor'
  /** The shortest possible kill. */
  readonly minimumMs: number
}

export interface RulesFamilyActions {
  readonly drift?: RulesAction
  readonly dropRate?: RulesAction
  readonly regularity?: RulesAction
  readonly robust?: RulesAction
  readonly timeFloor?: RulesAction
}

export interface RulesLootOdds {
  readonly entry: RulesName
  readonly loot: RulesName
}

export interface RulesWatchedDrop {
  readonly boss: RulesName
  /** A decimal in quotes, above 0 and below 1; or those of an entry of a loot table. */
  readonly odds: RulesLootOdds | string
}

export interface RulesFamilyThresholds {
  readonly drift?: RulesThreshold
  readonly dropRate?: RulesThreshold
  readonly regularity?: RulesThreshold
  readonly robust?: RulesThreshold
  readonly timeFloor?: RulesThreshold
}

export interface RulesFamily {
  /** `flag` without it. */
  readonly action?: RulesFamilyActions | RulesAction
  readonly drops?: { readonly [name: string]: RulesWatchedDrop }
  /** The shortest possible kill of each boss, in milliseconds. */
  readonly floors?: { readonly [name: string]: number }
  readonly kind: 'family'
  /** Any type without it. */
  readonly on?: RulesEventTypeName
  readonly thresholds?: RulesFamilyThresholds
  readonly where?: RulesWhere
}

export type RulesDetector = RulesZScore | RulesEwma | RulesRobust | RulesTimeFloor | RulesFamily

export interface RulesQuota {
  /** The limit without it. */
  readonly burst?: number
  /** What was used is counted under it. */
  readonly id?: RulesName
  readonly limit: number
  readonly per: 'ip' | 'player'
  readonly periodSeconds: number
}

/** How many events are let in; no part of the rules' hash. */
export interface RulesDoor {
  readonly quotas?: readonly RulesQuota[]
}

/** A type of event. */
export interface RulesEvent {
  readonly fields?: { readonly [name: string]: RulesField }
  /** `deny` without it. */
  readonly unknownFields?: 'deny' | 'ignore' | 'keep'
}

/** What is said of a type that is built in; the rest stays. */
export interface RulesDropClaimed {
  readonly fields?: { readonly [name: string]: RulesField | RulesIdOrField | RulesNumberOrField }
  readonly unknownFields?: 'deny' | 'ignore' | 'keep'
}

/** What is said of a type that is built in; the rest stays. */
export interface RulesProgression {
  readonly fields?: { readonly [name: string]: RulesField | RulesIdOrField | RulesNumberOrField }
  readonly unknownFields?: 'deny' | 'ignore' | 'keep'
}

/** Types of events beside the three that are built in, and what is said of those; or "guide". */
export type RulesEvents = 'guide' | { readonly [name: string]: RulesEvent | RulesBossKill | RulesDropClaimed | RulesProgression }

/** How old an event may be when it comes, and how far ahead. */
export interface RulesLimits {
  /** 300 without it. */
  readonly maxFutureSeconds?: number
  /** 86400 without it. */
  readonly maxPastSeconds?: number
}

export interface RulesLootEntry {
  readonly grant?: RulesGrant
  readonly weight: number
}

export interface RulesPity {
  readonly entry: RulesName
  /** Which roll in a row without the entry gives it. */
  readonly guaranteedAt: number
}

/** A table that is rolled on. */
export interface RulesLoot {
  readonly entries: { readonly [name: string]: RulesLootEntry }
  /** Beside what is rolled. */
  readonly guaranteed?: RulesGrant
  readonly pity?: RulesPity
}

/** How players leave an earlier curve for the next. */
export interface RulesMigration {
  readonly from: RulesCurve
  /** Whether levels that are reached by it are rewarded. */
  readonly levelRewards: 'grant' | 'skip'
  /** false without it. */
  readonly neverLoseALevel?: boolean
  readonly policy: 'keepTotalXp' | 'keepLevelAndFraction' | 'keepEffort'
}

/** Days in a row on which the player did something. */
export interface RulesStreak {
  /** 0 without it. */
  readonly missedDaysMax?: number
  /** Any type without it. */
  readonly on?: RulesEventTypeName
  readonly where?: RulesWhere
}

export interface RulesXpRule {
  readonly amount: RulesXpAmount
  /** Any type without it. */
  readonly on?: RulesEventTypeName
  readonly where?: RulesWhere
}

/** Experience and levels. */
export interface RulesProgress {
  /** What becomes of XP beyond the last level. `bank` without it. */
  readonly atMaxLevel?: RulesAtMaxLevel | 'bank' | 'discard'
  /** `multiply` without it. */
  readonly boostStacking?: 'multiply' | 'add' | 'highest'
  readonly boosts?: readonly RulesBoost[]
  readonly curve: RulesCurve
  readonly dailyXpCap?: number
  /** How far XP can be taken; required where an amount can be below 0. */
  readonly floor?: 'level' | 'zero'
  /** Earlier curves, oldest first. */
  readonly migrations?: readonly RulesMigration[]
  readonly streaks?: { readonly [name: string]: RulesStreak }
  /** What events are worth, all that match added up; without it, what their `deltaXp` asks. */
  readonly xp?: readonly RulesXpRule[]
}

/** How much is kept of a player. */
export interface RulesRetention {
  /** 1000 without it. */
  readonly receiptsPerPlayer?: number
  /** 90 without it. */
  readonly suspicionsDays?: number
}

export interface RulesLevelTrigger {
  readonly level: number
}

export interface RulesLevelsTrigger {
  /** 1 without it. */
  readonly everyLevels?: number
  /** The first and the last. */
  readonly levels: readonly [number, number]
}

export interface RulesEveryLevelsTrigger {
  /** Levels that it divides. */
  readonly everyLevels: number
}

export interface RulesDropTrigger {
  readonly drop: RulesName
  readonly where?: RulesWhere
}

export interface RulesStreakDayTrigger {
  readonly day: number
  readonly streak: RulesName
}

export interface RulesStreakDaysTrigger {
  readonly everyDays: number
  readonly streak: RulesName
}

export interface RulesEventTrigger {
  readonly event: RulesEventTypeName
  readonly where?: RulesWhere
}

/** What sets a reward off. */
export type RulesTrigger = RulesLevelTrigger | RulesLevelsTrigger | RulesEveryLevelsTrigger | RulesBossTrigger | RulesDropTrigger | RulesStreakDayTrigger | RulesStreakDaysTrigger | RulesEventTrigger

export interface RulesItemReward {
  /** Given at once without it. */
  readonly claimWithinSeconds?: number
  readonly grant: RulesGrant
  readonly on: RulesTrigger
}

export interface RulesLootReward {
  /** Given at once without it. */
  readonly claimWithinSeconds?: number
  /** A loot table. */
  readonly loot: RulesName
  readonly on: RulesTrigger
}

/** Items, or a roll on a loot table, when something happens. */
export type RulesReward = RulesLootReward | RulesItemReward

/** The whole document. */
export interface RulesDocument {
  /** Where the schema of this document is: for editors, no part of the rules. */
  readonly $schema?: string
  /** What detectors keep apart; add new ones at the end. */
  readonly activities?: readonly RulesName[]
  readonly alerts?: RulesAlerts
  /** Leaderboards, by name. */
  readonly boards?: { readonly [name: string]: RulesBoard }
  /** Items that go together, by name. */
  readonly bundles?: { readonly [name: string]: RulesBundle }
  readonly calendar?: RulesCalendar
  /** What is watched, by name. */
  readonly detectors?: { readonly [name: string]: RulesDetector }
  readonly door?: RulesDoor
  readonly events?: RulesEvents
  /** Part of every receipt's id: it stays for ever. */
  readonly game: RulesName
  readonly limits?: RulesLimits
  /** Loot tables, by name. */
  readonly loot?: { readonly [name: string]: RulesLoot }
  readonly progress?: RulesProgress
  readonly retention?: RulesRetention
  /** Boards that are no more. */
  readonly retiredBoards?: readonly RulesName[]
  /** What is given when, by name. */
  readonly rewards?: { readonly [name: string]: RulesReward }
  readonly version: 1
}
