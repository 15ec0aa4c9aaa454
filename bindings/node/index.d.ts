/// <reference lib="esnext.disposable" />
/**
 * liveops for Node: XP, levels, rewards, cheat verdicts and leaderboards, computed exactly once in your own process.
 *
 * Integers are whole numbers within ±(2^53 - 1), given as `number` or `bigint`; anything else is a TypeError with the code
 * `invalid_argument`, or a RangeError with `out_of_range`. Options are plain objects, of which only own members count; lists have at
 * most 10,000,000 values. Times are Unix milliseconds. Where a call needs the present, it is
 * `nowMs` or `now`, and what the clock says if neither is there. Results are frozen plain objects.
 */

// Nothing of @types/node is needed; a Buffer is a Uint8Array.

export type Integer = number | bigint
/** Bytes, or a text that counts as its UTF-8. */
export type Bytes = Uint8Array | string
/** What came over a network, before anybody parsed it. */
export type Received = Bytes | ArrayBuffer
/** A time: Unix milliseconds or a Date. */
export type Instant = Integer | Date
/** The present, as a number or as a Date. */
export type Now = { readonly nowMs?: Integer; readonly now?: never } | { readonly now?: Date; readonly nowMs?: never }
/**
 * When lines came, and how many threads decide them at once, 1 to 64: one unless it is said. More are worth it from some thousands of lines of
 * many players on, up to as many as there are processors to spare. Over a network the store's own lanes decide instead.
 */
export type Ingest = Now & { readonly threads?: Integer }
export type Window = 'daily' | 'weekly' | 'monthly' | 'seasonal' | 'allTime'
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A plain object as Node's servers give it, fetch's Headers, a Map, or pairs. A repeated header is refused. */
export type HeadersLike =
  | { readonly [name: string]: string | readonly string[] | undefined }
  | Iterable<readonly [string, string | readonly string[]]>
  | FetchHeaders
/** The part of fetch's Headers that is read. */
export interface FetchHeaders { forEach(callback: (value: string, name: string) => void): void; get(name: string): string | null }

// Rules -------------------------------------------------------------------------------------------------------------

/** The types of a rules document, `RulesDocument` and its parts: for programs that write rules. */
export type * from './rules.js'

/** Which decisions this release makes: two releases with one number decide every command alike, to the last bit. */
export const DECISIONS: number

/** The game's rules: read once from one JSON document, then shared freely. */
export class Rules {
  private constructor()
  /**
   * Throws RulesError, whose `path` says what is wrong. `lootSeed`: 32 secret random bytes that make loot unpredictable; an engine keeps
   * them when its rules are replaced by others without. `population`: as `withPopulation`.
   */
  static fromJson(document: Bytes, options?: RulesOptions): Rules
  /** A path, or a `file:` URL. */
  static fromFile(file: string | { readonly href: string; readonly protocol: string }, options?: RulesOptions): Rules
  /**
   * The same rules, their families of detectors anchored on what is usual in this game. No part of `hash`; an engine keeps it when its rules
   * are replaced by others without.
   */
  withPopulation(population: Population): Rules
  /** The same rules but for some thresholds of a family, by the name of its rule. */
  withThresholds(family: string, thresholds: Partial<Thresholds>): Rules
  /**
   * Thresholds for as many false alerts of a family as somebody has time for, from lines of history: at once, or in pieces of whole lines.
   * Events of a player come in their order, players in any. RangeError with fewer than 200 players.
   */
  calibrate(family: string, history: Received | Iterable<Received>, budget: Budget): Calibration
  readonly game: string
  /** Over the document without the door: what a receipt says it was granted under. */
  readonly hash: string
  /** Over all by which it decides: document, population, thresholds, and the commitment to the loot seed. */
  readonly identity: string
  /**
   * What in the document may be meant, or not: what changes nothing, is never reached or fed, or can be foretold. The rules are in force all
   * the same.
   */
  warnings(): readonly RulesWarning[]
  /** What to publish before the first roll of loot: `seedCommitment` of the seed; null without one: then anyone can foretell the rolls. */
  readonly lootCommitment: string | null
  /** What names the population; null without one. Processes that are to judge alike have the same. */
  readonly populationHash: string | null
  /** Each board's windows, with the number of closed periods that stay readable. */
  readonly boards: { readonly [board: string]: { readonly [window in Window]?: number } }
  readonly curve: LevelCurve
  /** The curve with its cap and boosts. */
  readonly progression: Progression
  /** Null if there is no table of this name. */
  loot(name: string): Loot | null
  readonly calendar: Calendar
}

export interface RulesWarning {
  /** JSON Pointer into the document. */
  readonly path: string
  readonly code: 'no_effect' | 'never_reached' | 'covered' | 'foreseeable' | 'unfed' | 'unused'
  readonly message: string
}

export interface RulesOptions { readonly lootSeed?: Uint8Array; readonly population?: Population }

export interface RulesDiff {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
  /**
   * Hashes of the old curve and the new, if it changes. `migrates` says whether the new rules' `migrations` lead on from
   * the old one. If not, and they list no curves at all, totals stay what they are, and levels that are then reached for the first
   * time are rewarded; but whoever was brought from one curve to another before, or is on none of those listed, is refused as
   * `curve_unknown`: `unknown` of `planMigration` says how many.
   */
  readonly levelCurve?: { readonly from: string; readonly to: string; readonly migrates: boolean }
}

// Commands and outcomes ---------------------------------------------------------------------------------------------

/** Something one player's state is asked to take in, once: an event that an Intake admitted, an operator's order, or a payment that an Engine made. */
export class Command {
  private constructor()
  /** Support's correction of an XP total. */
  static adjust(order: Order & { readonly xp: Integer; readonly reason: string }): Command
  static review(order: Order & { readonly suspicion: Integer; readonly ruling: 'release' | 'confirm' }): Command
  static setVisibility(order: Order & { readonly hidden: boolean }): Command
  static erase(order: Order): Command
  /**
   * Gives what a receipt says can be claimed. The id follows from the receipt and the time, so whoever lost track makes it
   * anew: what was claimed is `replayed` with its receipt. Time to claim counts from the decision, and what waits is kept for
   * it, also when others of its age are trimmed. Refused are `receipt_unknown`, `claim_expired`, and `receipt_settled` for what was
   * given at once or was revoked.
   */
  static claim(claim: { readonly player: string; readonly receipt: ReceiptRef } & Now): Command
  /** Takes back what a receipt gave: a new receipt with negative amounts. Refused are `receipt_unknown` and `receipt_settled`. */
  static revoke(order: Order & { readonly receipt: ReceiptRef; readonly reason: string }): Command
  /**
   * Brings a player to the curve of the rules in force, given itself or by its hash: under other rules it is refused as
   * `curve_changed`, and as `curve_unknown` where they do not lead on from the player's, which passes once they list it. The id
   * follows from curve, time and `Player.version` (0 of nobody), since a curve may come into force twice. `Engine.migrations`
   * makes these for everybody.
   */
  static migrate(migration: { readonly player: string; readonly curve: LevelCurve | string; readonly version: Integer } & Now): Command
  readonly id: string
  readonly playerId: string
  toJSON(): CommandContent
}

/** `ts` is when it was ordered, the same in every retry; it is the present unless given. */
export type Order = { readonly id: string; readonly player: string; readonly ts?: Instant } & Now

export interface CommandContent {
  readonly id: string
  readonly origin: 'event' | 'operator'
  readonly playerId: string
  readonly ts: number
  readonly receivedAt: number
  /** `event`, `adjust`, `review`, `setVisibility`, `erase`, `payout`, `claim`, `revoke` or `migrate`. */
  readonly action: string
  readonly [more: string]: Json
}

/** What became of one command. */
export class Outcome {
  private constructor()
  readonly status: 'applied' | 'replayed' | 'refused' | 'unknown'
  /** `applied`, `held`, `replayed`, or the code of the error. */
  readonly code: string
  /** What it did, now or the first time; null if it was not taken. */
  readonly effect: Effect | null
  readonly error: Refusal | null
  readonly httpStatus: number
  headers(): Record<string, string>
  /** The effect; throws the Refusal if there is none. */
  unwrap(): Effect
  toJSON(): object
}

/**
 * The outcomes of a batch, in the order of its rows. They stay in a few dozen bytes each outside of V8's heap, and become objects when they are looked
 * at: `counts()` looks at none.
 */
export class Outcomes implements Iterable<Outcome> {
  private constructor()
  readonly length: number
  at(index: Integer): Outcome | undefined
  /** Those of a stretch, as of an array. */
  slice(start?: Integer, end?: Integer): Outcome[]
  find(test: (outcome: Outcome) => boolean): Outcome | undefined
  /** How many by code. */
  counts(): { readonly [code: string]: number }
  toJSON(): Outcome[]
  [Symbol.iterator](): Iterator<Outcome>
  /** Frees the memory now; whatever is called later throws `closed`. Once more is nothing. */
  close(): void
  /** The same, for `using`. */
  [Symbol.dispose](): void
}

export interface Effect {
  /** Withheld, under this number of a suspicion. */
  readonly held: number | null
  /** Applied, but suspicious under this number; null beside 256 events that are held and wait, see `suspicions`. */
  readonly flagged: number | null
  readonly xp: Grant
  readonly adjusted: number
  readonly level: number
  /** What is given. Of more than 256 rewards that wait the oldest is among them, `claimed` as if the player had asked. */
  readonly receipts: readonly Receipt[]
  readonly late: readonly BoardPeriod[]
  readonly verdicts: readonly Judgement[]
  /** Rewards that wait to be claimed, see `Engine.claimable`: nothing is given yet. Not there if there are none. */
  readonly claimable?: readonly Receipt[]
  /** What a change of the level curve made of the total, if this was the first command to meet it and it changed anything. */
  readonly migrated?: { readonly fromXp: number; readonly toXp: number; readonly fromLevel: number; readonly toLevel: number }
}

/** `requested + boost - overDailyCap - overMaxLevel === granted`, and the total changes by `granted - taken`. */
export interface Grant {
  readonly requested: number
  readonly boost: number
  readonly overDailyCap: number
  readonly overMaxLevel: number
  readonly granted: number
  /** Taken after that, as far as `progress.floor` of the rules lets it. */
  readonly taken: number
}

/**
 * What a receipt is for: a level, an event, a place in a finished period of a board, a day of a streak (its index), units
 * made of XP beyond the highest level (so many ever), or another receipt that is taken back.
 */
export type Scope =
  | { readonly level: number }
  | { readonly event: { readonly id: string; readonly ts: number } }
  | { readonly payout: BoardPeriod & { readonly tier: string } }
  | { readonly streak: { readonly streak: string; readonly day: number } }
  | { readonly overflow: { readonly units: number } }
  | { readonly revoke: { readonly number: number; readonly receipt: string } }

/** An amount of something that the game hands out; negative where it is taken back. */
export interface Item { readonly kind: string; readonly id: string; readonly amount: number }

/** `expired` is said by `receiptState` alone: an engine stores what can no longer be claimed as `claimable`. */
export type ReceiptState = 'issued' | 'claimable' | 'claimed' | 'expired' | 'revoked'

/** One receipt of a player: as it was read, or its number and id. */
export interface ReceiptRef { readonly number: Integer; readonly id: string }

/** Proof of one reward; deliver by its `id`. What it says stays, and its chain with it, but for `state` and `settledAt`. */
export interface Receipt {
  readonly number: number
  readonly id: string
  readonly reward: string
  readonly scope: Scope
  readonly items: readonly Item[]
  readonly cause: { readonly origin: 'event' | 'operator'; readonly id: string }
  readonly ts: number
  readonly rules: string
  readonly previous: string
  /**
   * The first instant at which it can no longer be claimed; not there if it is given without being claimed. Time counts from the
   * decision: an event that was hours on its way takes none of it.
   */
  readonly claimUntil?: number
  /** How what is in it was rolled, a part of the chain; not there if that was no matter of luck. */
  readonly roll?: RollProof
  readonly state: ReceiptState
  /** When it was claimed or revoked. */
  readonly settledAt?: number
}

/**
 * How an engine rolled what is in a receipt: all that `Loot.verifyReceipt` wants to know but the seed and the player. `nonce` is the
 * player's number of this roll on the table: the first has the time it came in at, in Unix milliseconds, and each further one the next
 * number, so that a gap shows. `misses` counts rolls in a row, before this one, without the entry that pity is for.
 */
export interface RollProof { readonly table: string; readonly entry: string; readonly nonce: number; readonly misses: number }

/** Why a verdict is what it is. */
export type VerdictReason =
  | 'usual' | 'tooFewSamples' | 'farFromMean' | 'farFromRecent' | 'changeAfterConstancy' | 'farAboveUsual' | 'belowFloor' | 'notFinite'
  | 'risesSteadily' | 'tooManyDrops' | 'tooRegular' | 'negative'

/** What a detector says of a value, and why. `sentenceOf` puts it into words. */
export interface Finding {
  readonly score: number
  readonly threshold: number
  readonly direction: 'high' | 'low'
  readonly reason: VerdictReason
  readonly baseline: { readonly n: number; readonly mean: number; readonly sd: number; readonly source: 'player' | 'population' | 'rule' }
  readonly action: 'allow' | 'flag' | 'hold'
}
export interface Judgement extends Finding { readonly detector: string }
export interface Verdict extends Finding { readonly isAnomaly: boolean; readonly description: string; readonly sentence: string }

export interface Period { readonly window: Window; readonly index: number }
export interface BoardPeriod extends Period { readonly board: string }
/** Times are null where they are always or never. */
export interface PeriodDetails extends Period {
  readonly label: string
  readonly start: number | null
  readonly end: number | null
  readonly closesAt: number | null
}

/** An event in the form in which it is sent. */
export interface Event {
  /** Not there where a header names the event. */
  readonly id?: string
  readonly type: string
  readonly playerId: string
  /** Unix seconds. */
  readonly ts: number
  readonly payload: { readonly [field: string]: Json }
}

export interface Suspicion {
  readonly number: number
  readonly playerId: string
  readonly event: Event
  readonly receivedAt: number
  readonly held: boolean
  readonly verdicts: readonly Judgement[]
  readonly settled: 'open' | 'released' | 'confirmed'
}

// Engine ------------------------------------------------------------------------------------------------------------

/** In memory: gone with the process, unless it is brought back from a snapshot. */
export class MemoryStore {
  #private // not every object is one
  constructor(options?: MemoryStoreOptions)
}
export interface MemoryStoreOptions {
  /** How many entries of the feed may wait to be acknowledged; without it there is no feed. */
  readonly feed?: Integer
  /** A state to begin in: the bytes of `Engine.snapshot`. */
  readonly snapshot?: Uint8Array
  /** With a snapshot: the present, to which the horizon is brought back; see `Engine.restore`. */
  readonly at?: Instant
}

/**
 * In one file, which one engine at a time has open: `store_in_use` for whoever else tries. A process that is killed at any moment goes on
 * where it was. Engines over it are asked by the verbs that end in `Async`, which never hold the event loop; the others throw
 * `would_block`. Boards are read of memory.
 *
 * ```js
 * const engine = await Engine.open(rules, { store: new SqliteStore(path) })
 * const [first, second] = await Promise.all([engine.submitAsync(event), engine.submitAsync(event)])
 * first.code                                               // 'applied'
 * second.code                                              // 'replayed'
 * engine.board('xp').top('allTime', 1)[0].score            // 120
 * await engine.closeAsync()                                // from here on another process may open the file
 * ```
 */
export class SqliteStore {
  /** Opens nothing. Once opened it keeps the file open: close the engine, nothing else lets go of the file for sure. */
  constructor(path: string | { readonly href: string; readonly protocol: string }, options?: SqliteStoreOptions)
  readonly path: string
  /** How the file is doing. Like the others it asks the engine that opened it last, and is `closed` before there is one and once it is closed. */
  status(): StoreStatus
  statusAsync(): Promise<StoreStatus>
  /** Reads all of it; throws `store_corrupt` if anything is damaged. */
  verify(): void
  verifyAsync(): Promise<void>
  /** Writes a copy that is whole, while others read and write. It has erased players in it until it is deleted. */
  backup(path: string | { readonly href: string; readonly protocol: string }): void
  backupAsync(path: string | { readonly href: string; readonly protocol: string }): Promise<void>
}
export interface SqliteStoreOptions {
  /** How many entries of the feed may wait to be acknowledged, 0 for no feed. It stays with the file: unless given, it is as the file says. */
  readonly feed?: Integer
  /** `full`, unless given: a commit counts once the disk has it. `normal`: a loss of power may take the last commits, never a part of one. */
  readonly sync?: 'full' | 'normal'
  /** How long to wait for another process to close the file before it is `store_in_use`; 0 unless given. */
  readonly waitSeconds?: number
  /** NFS, SMB, 9p and FUSE are refused as `store_misconfigured` unless this says otherwise. */
  readonly allowNetworkFileSystem?: boolean
}
/** How a file is doing; counts are of this opening. */
export interface StoreStatus {
  readonly sync: 'full' | 'normal'
  /** Without its log. */
  readonly fileBytes: number
  readonly logBytes: number
  /** Pages in the log that are not written back yet. */
  readonly logPages: number
  /** Transactions that wrote change sets, and how many change sets they were: more of these where callers shared syncs. */
  readonly rounds: number
  readonly changeSets: number
  /** How often the log was written back, how often that failed, and the longest that writers waited for it, in microseconds. */
  readonly checkpoints: number
  readonly checkpointsFailed: number
  readonly checkpointMicrosMax: number
  /** Entries of the feed that are kept, and how many may be; null without a feed. */
  readonly feed: number
  readonly feedLenMax: number | null
  /** Whether there may be expired rows to free. */
  readonly sweepPending: boolean
  readonly [more: string]: Json
}

/**
 * In Redis 7 or later, or in a cluster of it, shared by any number of processes: each event counts once whichever of them gets it. Opened
 * by `await Engine.open(..)`, which waits for the connection and brings the boards here, where they are read of memory; the constructor
 * of Engine throws `would_block`. The game is that of the rules; several live side by side in one Redis.
 *
 * `url` is `redis://user:password@host:6379/0`, with two s for TLS, or `redis+unix:///path`; of a cluster, an array of some of its addresses.
 *
 * ```js
 * const engine = await Engine.open(rules, { store: new RedisStore(process.env.REDIS_URL) })
 * const outcome = await engine.submitAsync(event)
 * ```
 */
export class RedisStore {
  /** Connects nowhere: that is what opening is for. */
  constructor(url: string | readonly string[], options?: RedisStoreOptions)
  /** What the clock of the server says, in milliseconds; throws `would_block`. `closed` before an engine has opened the store. */
  now(): number
  nowAsync(): Promise<number>
}
export interface FarStoreOptions {
  /** A server that takes longer has not answered: a commit is `store_outcome_unknown` then, and a retry settles it. 2 unless given. */
  readonly timeoutSeconds?: number
  /** How many entries are kept for boards that are behind; one that is further behind reads all players anew. */
  readonly outboxEntries?: Integer
  /** How many change sets of the feed may wait for consumers, 0 for no feed. It stays with the game: unless given, it is as the game there says. */
  readonly feed?: Integer
  /** Authorities to trust instead of the system's, in PEM: what stands in the file, not its path. */
  readonly tlsCa?: string | Uint8Array
  /** Who this is, in PEM: a certificate, with what vouches for it, and its private key. */
  readonly tlsCertificate?: string | Uint8Array
  readonly tlsKey?: string | Uint8Array
  /** How far `advance` may go ahead of the server's clock: 60 unless given, null for a simulation's any time. */
  readonly clockAheadSeconds?: number | null
}
export interface RedisStoreOptions extends FarStoreOptions {
  /** How many parts the players are spread over, 1 to 1024; a game keeps them for ever. 64 unless given. */
  readonly partitions?: Integer
  /** How many replicas must have a commit before it counts; 0 unless given. */
  readonly replicas?: Integer
  /** A server without an append-only file is `store_misconfigured` unless this says otherwise. */
  readonly allowNoPersistence?: boolean
}

/**
 * In a PostgreSQL database, shared by any number of processes; otherwise like RedisStore. `url` is `postgresql://user:password@host/database`,
 * whose `sslmode` says whether by TLS; with certificates a connection without is refused. The schema `liveops` is made by whoever opens a game first.
 *
 * ```js
 * const engine = await Engine.open(rules, { store: new PostgresStore(process.env.DATABASE_URL) })
 * ```
 */
export class PostgresStore {
  /** Connects nowhere: that is what opening is for. */
  constructor(url: string, options?: PostgresStoreOptions)
  /** What the clock of the server says, in milliseconds; throws `would_block`. `closed` before an engine has opened the store. */
  now(): number
  nowAsync(): Promise<number>
}
export interface PostgresStoreOptions extends FarStoreOptions {
  /** How many connections this process has at most; 8 unless given. */
  readonly connections?: Integer
  /** Over how many rows writers spread that ask for the horizon; it counts when the game is made. 8 unless given. */
  readonly horizonCopies?: Integer
  /** Writes each event into a table for people too, if the engine is `recording`. */
  readonly events?: boolean
}

/** How far the boards of an engine are behind its store; one in the process never is. */
export interface Lag {
  /** Entries that are known and not followed yet. */
  readonly behind: number
  /** How long ago the last look was that succeeded; null before the first. */
  readonly ageMillis: number | null
  /** How old the oldest transaction is that holds the boards up; null where none does. */
  readonly oldestTransactionMillis: number | null
}
/** How an engine is. */
export interface EngineStatus {
  /** What names the rules in force here. */
  readonly rules: string
  /** What names those that any process put in force over the store, the last of them last; at most eight. */
  readonly rulesSeen: readonly string[]
  readonly horizon: Horizon
  readonly lag: Lag
}

export interface EngineOptions extends MemoryStoreOptions {
  /** Where the state is kept: a MemoryStore unless given. With a file, `snapshot` is for an empty one, and `feed` is said to the store. */
  readonly store?: MemoryStore | SqliteStore | RedisStore | PostgresStore
  /** Whether entries of the feed say which commands led to them, under which rules. */
  readonly recording?: boolean
}

/** Some of what there is too much of for one answer. There may be fewer items than were asked for, none even, before the end. */
export interface ItemPage<T> {
  readonly items: readonly T[]
  /** Where the next page begins, as text; null at the end. Of another listing it is `cursor_invalid`. */
  readonly next: string | null
}

/**
 * Rules and a store: decides events and operators' commands, each exactly once.
 *
 * What may touch the store is there twice: done when the call returns, and with `Async` behind its name as a promise, which never
 * holds the event loop. Over a store that waits for its disk or its server the first throws `would_block`. Submits that wait at the same time are
 * written together.
 */
export class Engine {
  /** Opens the store here and now; throws `would_block` for one over a network. */
  constructor(rules: Rules, options?: EngineOptions)
  /** The same without holding the event loop while a file is opened or a server connected to, and the boards are built. */
  static open(rules: Rules, options?: EngineOptions): Promise<Engine>
  /**
   * Throws StoreError for bytes that are no snapshot. Those of an engine hold no `lootSeed`: give it with the rules.
   *
   * With `at`, the present, it is the way back from an `advance` too far: the horizon is brought back. What was ever taken in is not
   * taken in again, though its outcome was forgotten: commands not newer than the newest of any player are `too_old`. A period that
   * anybody was paid for stays closed, so the horizon stays past its closing.
   */
  static restore(rules: Rules, snapshot: Uint8Array, options?: Omit<EngineOptions, 'snapshot'>): Engine
  /** Those in force. */
  readonly rules: Rules
  /** As it was given; a MemoryStore if none was. */
  readonly store: MemoryStore | SqliteStore | RedisStore | PostgresStore
  /** Into how many parts the feed is cut. */
  readonly partitions: number
  /** Never throws for a refusal; `unwrap()` does. */
  submit(command: Command): Outcome
  submitAsync(command: Command): Promise<Outcome>
  /** A row that is no Command is refused by itself. */
  submitBatch(commands: Iterable<Command>): Outcomes
  submitBatchAsync(commands: Iterable<Command>): Promise<Outcomes>
  /**
   * One event a line, from a source that is trusted: no signature is asked for. One outcome a line, the same for any number of threads; a player's
   * lines are decided in their order.
   */
  submitNdjson(lines: Received, options?: Ingest): Outcomes
  /**
   * The same on other threads: the event loop copies the lines, so that what is written into them later does not matter, and reads none. Calls that
   * wait at the same time take turns by the piece: where a player's order matters from one call to the next, await the first.
   */
  submitNdjsonAsync(lines: Received, options?: Ingest): Promise<Outcomes>
  player(player: string): Player | null
  playerAsync(player: string): Promise<Player | null>
  /** Every player, by the store's order, read by the page as they are taken. */
  players(): IterableIterator<Player>
  playersAsync(): AsyncIterableIterator<Player>
  playersPage(cursor?: string | null, limit?: Integer): ItemPage<Player>
  playersPageAsync(cursor?: string | null, limit?: Integer): Promise<ItemPage<Player>>
  receipts(player: string): readonly Receipt[]
  receiptsAsync(player: string): Promise<readonly Receipt[]>
  receiptsPage(player: string, cursor?: string | null, limit?: Integer): ItemPage<Receipt>
  receiptsPageAsync(player: string, cursor?: string | null, limit?: Integer): Promise<ItemPage<Receipt>>
  /**
   * Receipts that can be claimed now, oldest first. Each is kept for its time, also when others of its age are trimmed and
   * `receipts` no longer has it; of more than 256 that wait the oldest is given as if it were claimed.
   */
  claimable(player: string, options?: Now): readonly Receipt[]
  claimableAsync(player: string, options?: Now): Promise<readonly Receipt[]>
  /** The hash of a player's newest receipt, which `verifyChain` checks against; zeros if there never was one. */
  chainHead(player: string): string
  chainHeadAsync(player: string): Promise<string>
  /** Why a player has this XP, this level and these rewards, line by line; null for a stranger. */
  explain(player: string, options?: Now): Explanation | null
  explainAsync(player: string, options?: Now): Promise<Explanation | null>
  /** Everybody's, by the store's order. */
  suspicionsPage(cursor?: string | null, limit?: Integer): ItemPage<Suspicion>
  suspicionsPageAsync(cursor?: string | null, limit?: Integer): Promise<ItemPage<Suspicion>>
  /**
   * Of one player, or of all, read by the page as they are taken. Up to 256 of a player are kept: settled ones make room first, then flags. Events that are held wait
   * for their review however long it takes; with 256 of them a further one is refused as `holds_full`.
   */
  suspicions(player?: string): IterableIterator<Suspicion>
  suspicionsAsync(player?: string): AsyncIterableIterator<Suspicion>
  /** Everybody's, a line of JSON each, with `sentences`: each verdict in words. Walks the whole store. */
  suspicionsNdjson(): string
  suspicionsNdjsonAsync(): Promise<string>
  suspicionsNdjsonPage(cursor?: string | null, limit?: Integer): ItemPage<string>
  suspicionsNdjsonPageAsync(cursor?: string | null, limit?: Integer): Promise<ItemPage<string>>
  /** Throws LiveopsError `unknown_board`. */
  board(name: string): Board
  /**
   * To be called now and then: moves the horizon, closes periods, frees what is too old to matter. A time far ahead cannot be taken back, so
   * LiveopsError for one more than 31 days past the clock (`clock_jump`), and for one that looks like seconds or microseconds by
   * it (`clock_unit`): unless `far: true` says that it is meant. How long the game slept does not matter. `Engine.restore` with `at` is the
   * way back.
   */
  advance(options?: Now & { readonly far?: boolean }): Horizon
  advanceAsync(options?: Now & { readonly far?: boolean }): Promise<Horizon>
  /** How far the engine was advanced. */
  horizon(): Horizon
  horizonAsync(): Promise<Horizon>
  /** Periods that close in `after < t <= through`, once and in order, made as they are taken. */
  closedBetween(after: Instant, through: Instant): IterableIterator<PeriodDetails>
  /** `v1:` and 64 hex digits: the state to the last bit. */
  digest(): string
  digestAsync(): Promise<string>
  snapshot(): Uint8Array
  snapshotAsync(): Promise<Uint8Array>
  /**
   * What happened, for an inventory, a bus, a recorder: each commit and each advance, at least once, in the order of each player. Behind a
   * cursor, or from the start of a partition (the first unless given), up to now; `feedPage` says where to go on.
   * Throws `feed_gap` when what follows a cursor is no longer kept, or never was: begin anew from the records.
   */
  feed(after?: string | null, options?: { readonly partition?: Integer }): IterableIterator<FeedEntry>
  feedAsync(after?: string | null, options?: { readonly partition?: Integer }): AsyncIterableIterator<FeedEntry>
  /** At most 100 entries unless given; `next` is there also when nothing has happened yet. */
  feedPage(cursor?: string | null, limit?: Integer, options?: { readonly partition?: Integer }): FeedPage
  feedPageAsync(cursor?: string | null, limit?: Integer, options?: { readonly partition?: Integer }): Promise<FeedPage>
  /** The cursor of the newest entry ever, kept or not. */
  last(partition?: Integer): string
  lastAsync(partition?: Integer): Promise<string>
  /**
   * A consumer has dealt with everything through a cursor of `FeedEntry` or `FeedPage`. Entries go once all that are known have; the
   * first acknowledgement makes a consumer known, without a cursor at the start of every partition. While one lags behind, a full
   * feed refuses commits as `feed_full`.
   */
  ack(consumer: string, cursor?: string | null): void
  ackAsync(consumer: string, cursor?: string | null): Promise<void>
  /** Nothing is kept for a consumer any more. */
  dropConsumer(consumer: string): void
  dropConsumerAsync(consumer: string): Promise<void>
  /** Everybody known, by name, and how far each is in each partition. */
  consumers(): readonly { readonly consumer: string; readonly cursors: readonly string[] }[]
  consumersAsync(): Promise<readonly { readonly consumer: string; readonly cursors: readonly string[] }[]>
  /**
   * Puts new rules in force, or throws and leaves the old ones: `board_incompatible`. With a time,
   * what is still to come of the calendar may change too: offsets from then on, and seasons that have not begun.
   * The secret `lootSeed` stays, unless the new rules have one of their own.
   */
  replaceRules(rules: Rules, options?: Now): RulesDiff
  replaceRulesAsync(rules: Rules, options?: Now): Promise<RulesDiff>
  /**
   * Who gets what for a finished period of a board, and the commands that give it. Read, submit, and repeat both after any
   * trouble: each player is paid once. `docs/payouts.md` has the whole recipe, with what a crash leaves behind.
   *
   * ```js
   * engine.advance({ now })                                                  // closes what is over
   * const payout = engine.payout('xp', 'weekly', { now, earlier: 1 })
   * for (const outcome of engine.submitBatch(payout.commands())) outcome.unwrap() // applied now, or replayed
   * ```
   *
   * Throws `unknown_board`, `unknown_window`, `unknown_payout` where the rules pay nothing, `period_dropped` for a period that is
   * no longer kept, and `period_open` until the engine was advanced past its closing.
   */
  payout(board: string, window: Window | Period, options?: Reading): Payout
  payoutAsync(board: string, window: Window | Period, options?: Reading): Promise<Payout>
  /**
   * The same from an archive, under the tiers of now: for a period that is no longer kept. Who is hidden, forgotten or
   * erased gets nothing, and nobody moves up. The names have to be those of the archive.
   */
  payoutArchived(archive: Archive, names: Names, options?: Now): Payout
  payoutArchivedAsync(archive: Archive, names: Names, options?: Now): Promise<Payout>
  /**
   * Pays every board that pays and closed since `mark`, and says the next mark; without one it begins with the oldest period that is
   * kept. Each player is paid once: run it again after any trouble, with the mark of before. Advance first. A `now` of a day ago leaves a
   * day for reviews. Walks the whole store once for the holds. `docs/payouts.md` says what a crash leaves behind.
   *
   * ```js
   * engine.advance({ now })                                                  // closes what is over
   * const run = engine.payClosed(mark, { now })                              // mark: of the run before; null at first
   * for (const { label, paid, holds } of run.periods) console.log(label, paid, holds.length)
   * keep(run.mark)
   * ```
   */
  payClosed(mark?: Instant | null, options?: Now): PayRun
  payClosedAsync(mark?: Instant | null, options?: Now): Promise<PayRun>
  /**
   * What new rules would make of the players of now: which levels rise and fall, what is minted, and how many they would refuse
   * as `unknown`. Walks all players.
   */
  planMigration(rules: Rules): MigrationForecast
  planMigrationAsync(rules: Rules): Promise<MigrationForecast>
  /**
   * One command for each player who is still on another curve than the one in force. Submit them in batches of any size,
   * and make them again after any trouble: each player is migrated once. Whoever sends an event meanwhile is migrated by it.
   *
   * ```js
   * const forecast = engine.planMigration(next)
   * engine.replaceRules(next)
   * for (const outcome of engine.submitBatch(engine.migrations({ now }))) outcome.unwrap()
   * [...engine.migrations({ now })].length                 // 0
   * engine.planMigration(next).rise                        // 0
   * ```
   */
  migrations(options?: Now): IterableIterator<Command>
  migrationsAsync(options?: Now): AsyncIterableIterator<Command>
  migrationsPage(cursor?: string | null, limit?: Integer, options?: Now): ItemPage<Command>
  migrationsPageAsync(cursor?: string | null, limit?: Integer, options?: Now): Promise<ItemPage<Command>>
  /**
   * Everything stored about one player. Its receipts are also those that wait beyond the trimmed ones, see `claimable`:
   * `verifyChain` is for `receipts`, which has no such gaps.
   */
  exportPlayer(player: string): { readonly playerId: string; readonly [more: string]: Json }
  exportPlayerAsync(player: string): Promise<{ readonly playerId: string; readonly [more: string]: Json }>
  /**
   * The next part of it, of at most so many records: for a player of whom much is kept. Lists of the parts follow one another, and one of them
   * has the `record`. What is written between two pages may or may not be met.
   */
  exportPlayerPage(player: string, cursor?: string | null, limit?: Integer): PlayerExportPage
  exportPlayerPageAsync(player: string, cursor?: string | null, limit?: Integer): Promise<PlayerExportPage>
  stats(): { readonly [name: string]: number }
  /** How far the boards here are behind the store, which others may write to as well. */
  lag(): Lag
  lagAsync(): Promise<Lag>
  /** When it returns, everything that anybody committed before the call is on the boards here. */
  catchUp(): void
  catchUpAsync(): Promise<void>
  /** Which rules are in force here and anywhere, the horizon and the lag. */
  status(): EngineStatus
  statusAsync(): Promise<EngineStatus>
  size(): { readonly players: number; readonly outcomes: number; readonly receipts: number; readonly suspicions: number; readonly boards: number; readonly feed: number }
  sizeAsync(): Promise<{ readonly players: number; readonly outcomes: number; readonly receipts: number; readonly suspicions: number; readonly boards: number; readonly feed: number }>
  /**
   * Answers the submits that wait, then frees all memory and lets go of the file: another process may open it when this returns. Whatever
   * is called later, or has not begun, is `closed`; once more is nothing. It holds the event loop for that long; `closeAsync` does not, and
   * whoever calls it again meanwhile waits for the same. An engine that is only dropped lets go of its file some time later, or never.
   */
  close(): void
  closeAsync(): Promise<void>
  /** `close`, for `using`. */
  [Symbol.dispose](): void
  /** `closeAsync`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A part of what is stored about one player; `next` is where the next begins, null at the end. */
export interface PlayerExportPage { readonly playerId: string; readonly next: string | null; readonly [more: string]: Json }

/**
 * Outcomes of before `forgottenBefore` are no longer kept, and periods that closed up to `now` are closed. Before the first advance both are
 * -2^63, which `closedBetween`, `payClosed` and `advance` take.
 */
export interface Horizon { readonly now: number; readonly forgottenBefore: number }

export interface Player {
  readonly playerId: string
  readonly xp: number
  readonly level: number
  readonly intoLevel: number
  /** Null at the highest level. */
  readonly toNext: number | null
  readonly hidden: boolean
  readonly receipts: number
  readonly version: number
  /** XP gathered beyond the highest level: units made of it ever, and the rest; not there if there never was any. */
  readonly overflow?: { readonly units: number; readonly rest: number }
  /** Days in a row, by streak; not there without any. `new Streak(...)` says how they stand on a day. */
  readonly streaks?: { readonly [streak: string]: { readonly lastDay: number; readonly length: number; readonly longest: number } }
}

/** The `xp` of all lines add up to the player's. */
export interface Explanation {
  readonly playerId: string
  readonly xp: number
  readonly level: number
  readonly lines: readonly ExplanationLine[]
}
export interface ExplanationLine {
  readonly topic: 'level' | 'xp' | 'held' | 'dailyCap' | 'streak' | 'overflow' | 'reward'
  /** In words. */
  readonly text: string
  /** What it added to the total or took away; 0 where it is about something else. */
  readonly xp: number
  readonly ts?: number
  readonly cause?: { readonly origin: 'event' | 'operator'; readonly id: string }
  /** The receipt's id. */
  readonly receipt?: string
}

/** One entry of the feed. Its cursor is opaque text: the place behind it, to be kept and passed on. */
export type FeedEntry = Committed | Advanced
/** A player's state changed. */
export interface Committed {
  readonly kind: 'committed'
  readonly cursor: string
  readonly playerId: string
  readonly version: number
  /** Whether the player was erased. */
  readonly forget: boolean
  readonly xp: number
  readonly outcomes: readonly { readonly id: { readonly origin: string; readonly id: string }; readonly ts: number; readonly effect: Effect }[]
  readonly receipts: readonly Receipt[]
  readonly suspicions: readonly { readonly [name: string]: Json }[]
  /** What led to it, if the engine is `recording`: the same rules (`Rules.identity`) and horizon decide the commands alike for ever. */
  readonly run?: { readonly rules: string; readonly horizon: Horizon; readonly commands: readonly Command[] }
}
/** The horizon rose. */
export interface Advanced extends Horizon { readonly kind: 'advanced'; readonly cursor: string }
export interface FeedPage { readonly items: readonly FeedEntry[]; readonly next: string }

export interface Row {
  readonly rank: number
  readonly playerId: string
  readonly score: number
  readonly subscore: number
  /** Milliseconds, or the number of the submit on a board without times. */
  readonly reachedAt: number
}

/** Some rows, best first, and where the next page begins; null behind the last row. */
export interface Page { readonly rows: readonly Row[]; readonly next: Cursor | null }

/**
 * Where a page ended, as text to hand out: the next page begins with whoever stands behind it by then. Nobody who stays
 * put is shown twice or left out, however many others move. It is not signed and names the page's last owner. One of
 * another board, period or order is `cursor_invalid`.
 */
export type Cursor = string

/** Which period is read: that of a window at the present, or one so many before it. Not both a period and `earlier`. */
export type Reading = Now & { readonly earlier?: Integer }

/** Which of the rows that fit; all of them unless given. */
/** From the first row on, 100,000 of them, unless said otherwise. */
export interface Stretch { readonly offset?: Integer; readonly limit?: Integer }

/**
 * A board of an engine, for reading: `at` and `of` choose the period. Reading asks memory, whatever the store.
 *
 * ```js
 * const board = engine.board('xp')
 * board.top('weekly', 10)                                  // this week's best
 * board.at('weekly', { earlier: 1 }).rank('ana')           // where ana came last week
 * for (const row of board.at('allTime')) console.log(row.rank, row.playerId)
 * ```
 */
export class Board {
  private constructor()
  readonly name: string
  readonly windows: readonly Window[]
  readonly order: 'desc' | 'asc'
  readonly operator: 'incr' | 'best' | 'set' | 'decr'
  readonly ties: 'firstToReach' | 'lastToReach' | 'ownerId'
  readonly ranking: 'ordinal' | 'competition' | 'dense'
  /** The period that is current, or one so many `earlier`. */
  at(window: Window | Period, options?: Reading): Standings
  /** Any period; of one that is no longer kept every reading is `period_dropped`. */
  of(period: Period): Standings
  /** The best of the period that is current, 10 unless given. */
  top(window: Window | Period, limit?: Integer, options?: Reading): readonly Row[]
  period(window: Window | Period, options?: Reading): Period
  /** Never `archived`: the engine keeps no archives. */
  state(period: Window | Period, options?: Reading): PeriodState
  /**
   * Archives a finished period that is still kept: everyone who is shown now. Store both halves, the names where
   * `Names.forget` can reach them. Throws `period_open` until the engine was advanced past its closing.
   */
  archive(period: Window | Period, options?: Reading): Archived
  archiveAsync(period: Window | Period, options?: Reading): Promise<Archived>
}

/**
 * A board in one period. Iteration is everybody, best first, read in stretches by cursor as they are taken: whoever stays put comes exactly
 * once, however many others move meanwhile; who moves may come twice or not at all. A rank is that of its stretch.
 */
export class Standings implements Iterable<Row> {
  private constructor()
  /** The board's name. */
  readonly board: string
  readonly period: Period
  /** How many stand on the board. */
  readonly length: number
  /** The best, 10 unless given. */
  top(limit?: Integer): readonly Row[]
  /** At most 100,000 rows. */
  page(offset: Integer, limit: Integer): readonly Row[]
  /** The first for null, or those behind a page's end: 100 unless given, at most 100,000. */
  pageAfter(cursor?: Cursor | null, limit?: Integer): Page
  /** From 1; null for one who is not on the board. */
  rank(player: string): number | null
  /** How many of the others a player is strictly ahead of, in hundredths of a percent: 10,000 is all of them. */
  percentile(player: string): number | null
  /** A player's row, with up to 5 rows above and below unless given. */
  around(player: string, eachSide?: Integer): readonly Row[]
  byOwners(players: readonly string[]): readonly Row[]
  /** Those with a score from `least` through `most`, best first; at most 100,000. */
  byScoreRange(least: Integer, most: Integer, options?: Stretch): readonly Row[]
  countAbove(score: Integer): number
  [Symbol.iterator](): IterableIterator<Row>
}

// Archives and payouts ------------------------------------------------------------------------------------------------

/** What one run of `Engine.payClosed` did. */
export interface PayRun {
  /** Whatever closed up to here is dealt with: keep it, and pass it to the next run. Null until the engine was advanced. */
  readonly mark: number | null
  /** Boards that were paid, in the order in which they closed; one on which nobody stands is not listed. */
  readonly periods: readonly PaidPeriod[]
  /** What closed since the mark and is no longer kept: `payoutArchived` pays what was archived. */
  readonly dropped: readonly DroppedPeriods[]
}

/** A finished board, and what paying it came to. It goes wherever a period is meant. */
export interface PaidPeriod extends BoardPeriod {
  readonly label: string
  readonly closedAt: number
  /** How many were paid now. */
  readonly paid: number
  /** How many by an earlier run. */
  readonly paidBefore: number
  /** Of both, best rank first; of those paid before as long as their outcomes are kept. */
  readonly receipts: readonly Receipt[]
  /** Who was not paid. With `player_hidden`, `player_erased`, `standing_unknown` or `event_id_reused` that is that; any other code keeps the mark before this period. */
  readonly unpaid: ReadonlyArray<{ readonly playerId: string; readonly code: string }>
  readonly holds: Payout['holds']
}

/** Periods of a window of a board, by their indexes. */
export interface DroppedPeriods { readonly board: string; readonly window: Window; readonly first: number; readonly last: number }

/** Both halves of an archive. */
export interface Archived { readonly archive: Archive; readonly names: Names }

export interface Heading extends BoardPeriod {
  readonly label: string
  readonly start: number | null
  readonly end: number | null
  readonly closedAt: number | null
  readonly order: 'desc' | 'asc'
  readonly ties: 'firstToReach' | 'lastToReach' | 'ownerId'
  readonly ranking: 'ordinal' | 'competition' | 'dense'
}

/**
 * A finished period of one board: who came where, without saying who. The bytes never change, and end with a checksum.
 *
 * ```js
 * const { archive, names } = engine.board('xp').archive('weekly', { earlier: 1 })
 * store(archive.toBytes(), names.toBytes())
 * names.forget('ana')                                      // part of erasing a player: store the names again
 * archive.read(names).top(10)                              // ranks as archived, without ana
 * ```
 */
export class Archive {
  private constructor()
  /** Archives a Leaderboard as a closed period of a calendar. The board's own name is used where none is given. */
  static of(leaderboard: Leaderboard, options: Now & { readonly period: Period; readonly calendar?: Calendar; readonly board?: string }): Archived
  /** Throws `store_corrupt` for bytes that `toBytes` never makes. */
  static fromBytes(bytes: Uint8Array): Archive
  toBytes(): Uint8Array
  readonly heading: Heading
  /** Names this archive by its content, in hex. */
  readonly checksum: string
  /** How many owners were archived. */
  readonly length: number
  /** Without names, best first: those of owners who are forgotten or hidden too. */
  rows(offset: Integer, limit: Integer): readonly Omit<Row, 'playerId'>[]
  /** The archive with its names, without those forgotten so far and those in `hiding`. */
  read(names: Names, options?: { readonly hiding?: readonly string[] }): ArchiveView
}

/** Whose the places of one archive are. Personal data: keep them where `forget` can reach them, and nowhere else. */
export class Names {
  private constructor()
  /** Throws `store_corrupt` for bytes that `toBytes` never makes. */
  static fromBytes(bytes: Uint8Array): Names
  toBytes(): Uint8Array
  /** The checksum of the archive that they belong to. */
  readonly archive: string
  /** How many are known. */
  readonly length: number
  /** Forgets one for good; whether there was one. To be stored in place of the bytes of before. */
  forget(player: string): boolean
  /** From 0; null for one who is not known. */
  placeOf(player: string): number | null
}

/** An archive as it was shown when it was read. Offsets and lengths count who is shown; ranks are those archived. */
export class ArchiveView implements Iterable<Row> {
  private constructor()
  readonly length: number
  top(limit?: Integer): readonly Row[]
  page(offset: Integer, limit: Integer): readonly Row[]
  rank(owner: string): number | null
  around(owner: string, eachSide?: Integer): readonly Row[]
  /** Nobody moves up into the ranks of those who are not shown. */
  awards(tiers: readonly Tier[]): readonly Award[]
  [Symbol.iterator](): IterableIterator<Row>
}

/**
 * A part of a board with a name: ranks, both ends included, or a percentage of the owners as text. Of several tiers an
 * owner gets the first that fits. Who shares a rank shares a tier, the better one; a percentage rounds up.
 */
export type Tier =
  | { readonly tier: string; readonly ranks: readonly [from: Integer, through: Integer]; readonly percent?: never }
  | { readonly tier: string; readonly percent: string; readonly ranks?: never }

export interface Award {
  readonly playerId: string
  readonly rank: number
  readonly tier: string
  readonly score: number
  readonly subscore: number
}

/** Who of a finished board's rows gets what: all of them, best first, with their ranks on the board. */
export function awards(rows: readonly Pick<Row, 'rank' | 'playerId' | 'score' | 'subscore'>[], tiers: readonly Tier[]): readonly Award[]

/** A finished board of an engine on its way to being paid. */
export class Payout {
  private constructor()
  readonly board: string
  readonly window: Window
  readonly index: number
  /** When the period closed. */
  readonly closedAt: number
  /** Who gets what, best first. */
  readonly awards: readonly Award[]
  /** Events of the period that are still held. Releasing them changes this board no more. */
  readonly holds: readonly { readonly playerId: string; readonly suspicion: number; readonly ts: number }[]
  /** One for each award, in the same order: to be submitted until each is `applied` or `replayed`. */
  commands(): Command[]
}

// The door ----------------------------------------------------------------------------------------------------------

/**
 * What is signed, and where the signature stands. `standard` is Standard Webhooks v1: `webhook-id`, `webhook-timestamp` and
 * `webhook-signature` over `id.timestamp.body`. `legacyBody` is a hex `x-signature` over the body: nothing dates such a
 * message, so it can be sent again for ever. `legacyBodyTimestamp` is one over `body.timestamp`, with the time in `x-timestamp`.
 */
export type Scheme = 'standard' | 'legacyBody' | 'legacyBodyTimestamp'

/** A key of a ring: valid from `notBefore` through `notAfter`, for all players or one. */
export interface Key {
  readonly id: string
  readonly secret: Secret | string
  readonly notBefore?: Instant
  readonly notAfter?: Instant
  readonly player?: string
}

/**
 * A shared secret. Never printed, and wiped when it is collected; but a string or buffer that JavaScript gave is a copy
 * that nobody can wipe: it stays in memory until the engine happens to use that memory again.
 */
export class Secret {
  private constructor()
  /** From `whsec_<base64>`. Like all here it throws SignatureError `secret_invalid`. */
  static parse(whsec: string): Secret
  /** From 24 to 64 bytes. They are copied: fill yours with zeros if nobody needs them any more. */
  static fromBytes(secret: Uint8Array): Secret
  /** From 1 to 4096 bytes that are in use already and cannot be changed. A short one can be guessed from one message. */
  static short(secret: Bytes): Secret
  /** From 32 bytes of the system's random generator, of which no copy stays in JavaScript. */
  static generate(): Secret
  /** `whsec_<base64>`, to hand to the other side: a string, which cannot be wiped. */
  toWhsec(): string
  toJSON(): string
}

/** A new secret as `whsec_<base64>`. */
export function generateSecret(): string
/** 64 hex digits. */
export function hmacSha256Hex(secret: Bytes, data: Bytes): string
/** Compared in constant time. */
export function verifyHmacSha256Hex(secret: Bytes, data: Bytes, mac: string): boolean

export interface Verified {
  /** The signed `webhook-id`; null of a legacy signature, which does not cover headers. */
  readonly messageId: string | null
  /** Null of a single secret. */
  readonly keyId: string | null
  /** The only player that the key speaks for; null if it speaks for all. */
  readonly player: string | null
}

export interface VerifierOptions {
  readonly scheme?: Scheme
  /** How far a signature's time may lie from now, both ways; 300 unless given. */
  readonly toleranceSeconds?: Integer
  /** A longer body is `too_large` before anything is computed; 65,536 unless given. */
  readonly bodyBytesMax?: Integer
}

/**
 * Tells whether messages come from someone who has a secret: one secret, or keys with names and dates, of which a message may
 * name one (`webhook-key-id`). A secret given as a string is a copy that cannot be wiped; see `Secret`.
 *
 * ```js
 * const keys = [
 *   { id: '2025', secret: old, notAfter: new Date('2026-12-01T00:00:00Z') },
 *   { id: '2026', secret: fresh, notBefore: new Date('2026-11-01T00:00:00Z') }
 * ]
 * const headers = new Signer(keys).sign('evt_1', body, { now })                  // by the newest that is valid
 * const verifier = new Verifier(keys)
 * verifier.verify(headers, body, { now }).keyId                                  // '2026'
 * const answers = verifier.verifyBatch([[headers, body], [headers, '{}']], { now })
 * answers[1] instanceof SignatureError                                           // true
 * answers[1].code                                                                // 'signature_mismatch'
 * ```
 */
export class Verifier {
  /** Throws SignatureError: `secret_invalid`, or `invalid_argument` for no key or two of one id. */
  constructor(secretOrKeys: Secret | string | readonly Key[], options?: VerifierOptions)
  /**
   * Throws SignatureError: `too_large`, `missing_header`, `malformed_header`, `timestamp_too_old`, `timestamp_too_new`,
   * `unknown_key` or `signature_mismatch`. A key bound to a player is found here; that the body speaks of this player, the
   * caller checks.
   */
  verify(headers: HeadersLike, rawBody: Received, options?: Now): Verified
  /** Each by itself, in order. A SignatureError is returned in its place; a TypeError has the `index` of what is no message. */
  verifyBatch(messages: readonly (readonly [headers: HeadersLike, rawBody: Received])[], options?: Now): readonly (Verified | SignatureError)[]
}

/** Signs messages. A secret given as a string is a copy that cannot be wiped; see `Secret`. */
export class Signer {
  constructor(secretOrKeys: Secret | string | readonly Key[], options?: { readonly scheme?: Scheme })
  /** The headers to send. Throws SignatureError: `invalid_argument` for an id other than `[A-Za-z0-9_-]{1,64}`, `unknown_key` when no key is valid. */
  sign(id: string, rawBody: Received, options?: Now): { readonly [name: string]: string }
}

export interface IntakeOptions {
  /** `whsec_<base64>` or a Secret. One of `secret`, `keys` and `trusted` is needed. */
  readonly secret?: Secret | string | undefined
  readonly keys?: readonly Key[]
  readonly scheme?: Scheme
  /** 300 unless given. */
  readonly toleranceSeconds?: Integer
  /** Asks nobody for a signature: for callers who know otherwise who is calling. */
  readonly trusted?: boolean
  /** With a legacy signature, takes the event's id from a header that is not signed. */
  readonly allowUnsignedId?: boolean
  /** False leaves the rules' quotas out; a RateLimiter keeps their counters for several intakes. */
  readonly quotas?: boolean | RateLimiter
  /** Among how many processes requests are spread: each lets its share of every quota through. 1 unless given. */
  readonly quotaShare?: Integer
  /** A refused body says the first thing that is wrong, instead of all. */
  readonly firstIssue?: boolean
}

/**
 * What the caller knows of where a message comes from. `address`: the network address, which quotas per address go by. Of a
 * sender whom the caller knows by other means no signature is asked for: `trustedPlayer`, who speaks for this player only
 * (else `key_player_mismatch`), as the session of a game client does, and who is an error when undefined; or `trusted`,
 * for one who may speak for all, as a game server does.
 */
export type Sender = { readonly address?: string | undefined } & (
  | { readonly trustedPlayer?: string; readonly trusted?: never }
  | { readonly trusted?: boolean; readonly trustedPlayer?: never }
)

/** One message of a batch. */
export type IntakeRequest = Sender & { readonly headers: HeadersLike; readonly body: Received }

/**
 * Lets events in: size, signature, quota and parsing in one call, each step as the options say. A secret given as a
 * string is a copy that cannot be wiped; see `Secret`.
 *
 * ```js
 * const intake = new Intake(rules, { secret: fresh })
 * const event = intake.admit(new Signer(fresh).sign('evt_1', body, { now }), body, { now })
 * event.id                                                                       // 'evt_1'
 * const session = { headers: { 'idempotency-key': 'evt_2' }, body, trustedPlayer: 'ana' }
 * const answers = intake.admitBatch([session, { ...session, trustedPlayer: 'bo' }, { headers: {}, body }], { now })
 * answers.map((answer) => answer instanceof Refusal ? answer.code : 'admitted')  // ['admitted', 'key_player_mismatch', 'missing_header']
 * ```
 */
export class Intake {
  constructor(rules: Rules, options: IntakeOptions)
  /** Throws Refusal. `rawBody` is what came in, before anybody parsed it. */
  admit(headers: HeadersLike, rawBody: Received, options?: Now & Sender): Command
  /** Each by itself, in order. A Refusal is returned in its place; a TypeError has the `index` of what is no request, and admits none. */
  admitBatch(requests: readonly IntakeRequest[], options?: Now): readonly (Command | Refusal)[]
  replaceRules(rules: Rules): void
}

// Events ------------------------------------------------------------------------------------------------------------

export interface EventParserOptions {
  /** Whose types and times are let in; without them the built-in types, from a day old to five minutes ahead. */
  readonly rules?: Rules
  /** The first thing that is wrong, instead of all up to 32. */
  readonly firstIssue?: boolean
}

/** Why a line is no event; lines count from 1. */
export interface LineError { readonly line: number; readonly code: string; readonly issues: readonly Issue[] }

/** Which lines are events. Why others are none crosses into JavaScript when `errors` is first read. */
export class BatchReport {
  private constructor()
  readonly accepted: number
  readonly refused: number
  /** Of the first 1,000 lines that are none. */
  readonly errors: readonly LineError[]
  toJSON(): { readonly accepted: number; readonly refused: number; readonly errors: readonly LineError[] }
}

/**
 * Turns bodies into events: strict JSON against the schema of its type. Types of a game's own, and other fields, ranges
 * and times for the built-in ones, come by its rules.
 *
 * ```js
 * const rules = Rules.fromJson(JSON.stringify({
 *   version: 1,
 *   game: 'arena',
 *   events: { arena_win: { fields: { rating: { type: 'uint', required: true, max: 5000 } } } }
 * }))
 * const parser = new EventParser({ rules })
 * const line = (rating) => JSON.stringify({ type: 'arena_win', playerId: 'ana', ts: now.getTime() / 1000, payload: { rating } })
 * parser.parse(line(1800), { now }).payload.rating                               // 1800
 * const report = parser.validateBatch([line(1800), line(-1), '{"type":}'].join('\n'), { now })
 * report.accepted                                                                // 1
 * report.errors[0].issues[0].path                                                // '/payload/rating'
 * report.errors[1].issues[0].offset                                              // 8
 * ```
 */
export class EventParser {
  /** With rules alone: their types of events. */
  constructor(options?: EventParserOptions | Rules)
  /** Throws ValidationError. */
  parse(body: Received, options?: Now): Event
  /** The same check without making an event: throws ValidationError, or returns nothing. */
  validate(body: Received, options?: Now): void
  /** Lines of JSON, one event each; they end with a newline, before which a carriage return may stand. */
  validateBatch(lines: Received, options?: Now): BatchReport
  /** The same on another thread, of a copy of the lines. */
  validateBatchAsync(lines: Received, options?: Now): Promise<BatchReport>
}

/** What `new EventParser(options).parse(body, options)` gives. Throws ValidationError. */
export function validate(body: Received, options?: Now & EventParserOptions): Event

// Quotas ------------------------------------------------------------------------------------------------------------

/** How long a quota's period is; beyond 35 years (2^50 microseconds) it counts as that. */
export type PeriodLength = { readonly periodSeconds: Integer; readonly periodMillis?: never } | { readonly periodMillis: Integer; readonly periodSeconds?: never }
/** How long a window is; beyond 35 years it counts as that. */
export type WindowLength = { readonly windowSeconds: Integer; readonly windowMillis?: never } | { readonly windowMillis: Integer; readonly windowSeconds?: never }
/** A Quota, or what makes one. `burst` is as many at once as in a period, unless given, and as many as 35 years pay off. */
export type QuotaLike = PeriodLength & { readonly limit: Integer; readonly burst?: Integer; readonly name?: string | null }

/** Memory for how many keys, 1,000,000 unless given, and what happens to a new one when it is taken: it is refused, unless said otherwise. */
export interface Room { readonly capacity?: Integer; readonly whenFull?: 'refuse' | 'admit' }

/** What a call counts for: 1 unless given; 0 asks without paying. */
export type Call = Now & { readonly cost?: Integer }

/** So many calls a period, and so many of them at once; never more than `limit + burst` in any period. It says what counts.
 *
 * Under its `name` limiters keep what each key used of it, so that it still counts when the numbers change; without one the
 * period is the name. A key under two quotas of one period needs their names.
 */
export class Quota {
  constructor(quota: QuotaLike)
  readonly name: string | null
  readonly limit: number
  readonly periodMillis: number
  readonly burst: number
  /** Microseconds between two calls at the steady rate, rounded up. */
  readonly intervalMicros: number
  /**
   * The state of a key under these numbers, where `gcra` left it under others of that interval: as many calls as were owed
   * are still owed, at most a burst. Keep this quota's interval with the state that comes out.
   */
  carry(state: Integer, intervalMicros: Integer, options?: Now): number
}

/** Whether a call may pass, and what its sender should know. */
export class Decision {
  private constructor()
  /** For callers that no quota applies to: it has no headers, and any other decision counts before it. */
  static unlimited(): Decision
  readonly allowed: boolean
  readonly code: 'rate_limited' | 'limiter_full' | null
  readonly limit: number
  /** What `limit` speaks of; 0 where no quota applies. */
  readonly periodMillis: number
  /** Calls that could still pass now. */
  readonly remaining: number
  /** Whole seconds, rounded up; null if allowed, or if it can never pass. */
  readonly retryAfter: number | null
  /** A call exactly then passes. */
  readonly retryAfterMillis: number | null
  /** When all that was used will be free again. */
  readonly resetAfterMillis: number
  /**
   * `RateLimit-Policy`, `RateLimit`, `X-RateLimit-Limit`, `X-RateLimit-Window`, `X-RateLimit-Remaining`, and `Retry-After` if
   * waiting helps; none where no quota applies. The policy is called `default` unless named.
   */
  headers(name?: string): Record<string, string>
  /** The value of `RateLimit-Policy`: `"player";q=60;w=60`, the calls a period and the period in seconds. */
  policyHeader(name?: string): string
  /** The value of `RateLimit`: `"player";r=9;t=12`, what could still pass and the seconds until all is free. */
  stateHeader(name?: string): string
  /** The answer to a call that needs both: refused if one refuses, with the longer wait; else what has less remaining. */
  and(other: Decision): Decision
}

/**
 * Decides on one call to a key whose state the caller keeps: in a database, in a cookie, on another machine. The state is
 * one number, whole microseconds since 1970; null for a new key. It can be forgotten once it lies in the past.
 *
 * ```js
 * const quota = new Quota({ limit: 60, periodSeconds: 60, burst: 2 })
 * const first = gcra(null, quota, { cost: 2, now })
 * first.decision.remaining                                                       // 0
 * const second = gcra(first.state, quota, { now })
 * second.decision.retryAfterMillis                                               // 1000
 * second.decision.stateHeader('player')                                          // '"player";r=0;t=2'
 * second.state - first.state                                                     // 0
 * ```
 */
export function gcra(state: Integer | null, quota: QuotaLike, options?: Call): { readonly state: number | null; readonly decision: Decision }

/**
 * One quota for many keys, or several at once. A key takes 16 bytes, whatever its length; one without debt makes room.
 *
 * ```js
 * const limiter = new RateLimiter({ limit: 60, periodSeconds: 60, burst: 10, capacity: 100_000 })
 * limiter.check('player:ana', { now }).remaining                                 // 9
 * const [perPlayer, perAddress] = [new Quota({ limit: 2, periodSeconds: 1 }), new Quota({ limit: 100, periodSeconds: 1 })]
 * const ask = () => limiter.checkAll([[perPlayer, 'player:ana'], [perAddress, 'ip:203.0.113.9']], { now })
 * ask().remaining                                                                // 1
 * ask().remaining                                                                // 0
 * ask().headers('player')['Retry-After']                                         // '1'
 * ```
 */
export class RateLimiter {
  constructor(quota: QuotaLike & Room)
  check(key: string, options?: Call): Decision
  /** Other numbers for the limiter's own quota from now on; its name stays. What each key has used still counts. */
  replace(quota: QuotaLike): void
  /**
   * Charges one call to all or to none. A key counts on its own under each name of a quota, whatever its numbers are by now;
   * the limiter's own counts only if it is among them.
   */
  checkAll(requests: readonly (readonly [quota: QuotaLike, key: string])[], options?: Call): Decision
  /** Keys in memory. */
  readonly size: number
  /** Calls that passed uncounted, because there was no room and `whenFull` is `admit`. */
  readonly admittedWhenFull: number
}

/** Never more than `limit` in any window, whenever it begins, for many keys: what a quota with bursts does not promise. A key takes 48 bytes, and 16 for each call in its window. */
export class SlidingLimiter {
  constructor(quota: WindowLength & Room & { readonly limit: Integer })
  /** Other numbers from now on. What passed still counts; what had left the window of before is not known any more. */
  replace(window: WindowLength & { readonly limit: Integer }): void
  check(key: string, options?: Call): Decision
  /** Keys in memory. */
  readonly size: number
  /** Calls that passed uncounted, because there was no room and `whenFull` is `admit`. */
  readonly admittedWhenFull: number
}

/** The same for one key. */
export class SlidingLog {
  constructor(quota: WindowLength & { readonly limit: Integer })
  /** Other numbers from now on. What passed still counts; what had left the window of before is not known any more. */
  replace(window: WindowLength & { readonly limit: Integer }): void
  check(options?: Call): Decision
}

// Boards and curves, each alone ---------------------------------------------------------------------------------------

/** The first of each is the default. */
export interface BoardOptions {
  readonly order?: 'desc' | 'asc'
  readonly operator?: 'incr' | 'best' | 'set' | 'decr'
  readonly ties?: 'firstToReach' | 'lastToReach' | 'ownerId'
  readonly ranking?: 'ordinal' | 'competition' | 'dense'
  /** By which cursors, archives and snapshots know this board from others; an id of up to 64 visible characters. */
  readonly name?: string
  /** Memory for so many owners at once, up to 10,000,000; without it a board grows in small chunks. */
  readonly capacity?: Integer
}

export interface Score { readonly score: number; readonly subscore: number }

/** Whole numbers: an array, or one of the typed ones. */
export type Integers = readonly Integer[] | ArrayLike<Integer> & ArrayBufferView

/**
 * What `submitBatch` throws, with whatever else an error has: the code of what is wrong, such as `id_invalid`,
 * `score_overflow` or `invalid_argument`, and the place of the value at fault, from 0.
 */
export interface BatchError extends Error { readonly code: string; readonly index: number }

/**
 * One ranked set of owners. Beyond ±(2^53 - 1) a submit is `score_overflow` and changes nothing.
 *
 * ```js
 * const board = new Leaderboard({ operator: 'incr' })
 * board.submitBatch(['ana', 'bo', 'cy'], [120, 90, 40])
 * board.rank('bo')                                         // 2
 * board.percentile('bo')                                   // 5000: ahead of half of the others
 * const { rows, next } = board.pageAfter(null, 2)          // ana and bo
 * board.pageAfter(next, 2).rows                            // cy, whatever happened above
 * Leaderboard.restore(board.snapshot()).length             // 3
 * ```
 */
export class Leaderboard implements Iterable<Row> {
  constructor(options?: BoardOptions)
  /**
   * With the settings and the name that it had. Throws `snapshot_corrupt`, and `score_overflow` for scores beyond
   * ±(2^53 - 1), which earlier versions took.
   */
  static restore(snapshot: Uint8Array): Leaderboard
  /** The whole board as bytes that depend on nothing else, with a checksum. */
  snapshot(): Uint8Array
  readonly name: string | null
  submit(owner: string, score: Integer, options?: { readonly subscore?: Integer; readonly at?: Instant }): Score & { readonly reachedAt: number }
  /** Takes all values or none; throws a `BatchError`. Several times as fast as one by one. */
  submitBatch(owners: readonly string[], scores: Integers, subscores?: Integers): void
  remove(owner: string): boolean
  hide(owner: string): boolean
  unhide(owner: string): boolean
  score(owner: string): Score | null
  rank(owner: string): number | null
  top(limit?: Integer): readonly Row[]
  page(offset: Integer, limit: Integer): readonly Row[]
  /** The first for null, or those behind a page's end: 100 unless given. `top` gives 10, `around` 5 on each side. */
  pageAfter(cursor?: Cursor | null, limit?: Integer): Page
  /**
   * Everybody, best first, read in stretches by cursor as they are taken: whoever stays put comes exactly once, however
   * many others move meanwhile; who moves may come twice or not at all. A rank is that of its stretch.
   */
  [Symbol.iterator](): IterableIterator<Row>
  around(owner: string, eachSide?: Integer): readonly Row[]
  byOwners(owners: readonly string[]): readonly Row[]
  /** Those with a score from `least` through `most`, best first; none if `least` is larger. */
  byScoreRange(least: Integer, most: Integer, options?: Stretch): readonly Row[]
  countAbove(score: Integer): number
  /** How many of the others an owner is strictly ahead of, in hundredths of a percent: 10,000 is all of them. */
  percentile(owner: string): number | null
  awards(tiers: readonly Tier[]): readonly Award[]
  readonly length: number
  /** Frees the memory now; whatever is called later throws `closed`. Once more is nothing. */
  close(): void
  /** The same, for `using`. */
  [Symbol.dispose](): void
}

/** `windows` says how many closed periods of each stay readable. */
export type WindowedOptions = BoardOptions & { readonly calendar?: Calendar; readonly windows: { readonly [window in Window]?: Integer } }

/**
 * One ranked set for each period of each window. Each reading is of a window's current period, of one so many `earlier`,
 * or of a period, and throws `unknown_window` for a window that the board does not have, `period_dropped` for a period that is no
 * longer kept, and `unknown_period` for one that is kept as an archive, or between two seasons.
 *
 * ```js
 * const board = new WindowedLeaderboard({ name: 'xp', windows: { daily: 7, allTime: 0 } })
 * board.submit('ana', 120, { now })
 * board.top('daily', 10, { now })
 * board.top('daily', 10, { now: tomorrow, earlier: 1 })    // the same rows
 * const { archive, names } = board.archive('daily', { now: tomorrow, earlier: 1 })
 * board.archived(archive.heading, { now: tomorrow }).rank('ana') // 1
 * ```
 */
export class WindowedLeaderboard {
  constructor(options: WindowedOptions)
  /**
   * A board with what a snapshot holds. The calendar is not in it: the options have to be those of the board that was
   * saved. Throws `board_incompatible` for another name, order, operator or windows, and `snapshot_corrupt`.
   */
  static restore(options: WindowedOptions, snapshot: Uint8Array): WindowedLeaderboard
  snapshot(): Uint8Array
  readonly name: string | null
  /** How many have an entry in any kept period, or are hidden. */
  readonly owners: number
  /** Into every window or into none: the periods it was too late for. `ts` is the event's own time. */
  submit(owner: string, score: Integer, options?: Now & { readonly subscore?: Integer; readonly ts?: Instant }): readonly Period[]
  /** Values of one time, all of them or none: the periods that they were too late for. Throws a `BatchError`. */
  submitBatch(owners: readonly string[], scores: Integers, options?: Now & { readonly subscores?: Integers; readonly ts?: Instant }): readonly Period[]
  /** From every kept period, and the name from archives. */
  remove(owner: string): boolean
  /** From every period, those to come included; entries stay and take submits. */
  hide(owner: string): boolean
  unhide(owner: string): boolean
  /** To be called now and then: forgets periods that are dropped. */
  advance(options?: Now): void
  current(window: Window, options?: Reading): Period
  period(window: Window | Period, options?: Reading): Period
  state(window: Window | Period, options?: Reading): PeriodState
  /** Periods of the board's windows that close in `after < t <= through`, once and in order, made as they are taken. */
  closedBetween(after: Instant, through: Instant): IterableIterator<PeriodDetails>
  top(window: Window | Period, limit?: Integer, options?: Reading): readonly Row[]
  page(window: Window | Period, offset: Integer, limit: Integer, options?: Reading): readonly Row[]
  pageAfter(window: Window | Period, cursor?: Cursor | null, limit?: Integer, options?: Reading): Page
  /** Everybody of one period; what it promises is written at `Leaderboard`. */
  rows(window: Window | Period, options?: Reading): IterableIterator<Row>
  score(window: Window | Period, owner: string, options?: Reading): Score | null
  rank(window: Window | Period, owner: string, options?: Reading): number | null
  around(window: Window | Period, owner: string, eachSide?: Integer, options?: Reading): readonly Row[]
  byOwners(window: Window | Period, owners: readonly string[], options?: Reading): readonly Row[]
  byScoreRange(window: Window | Period, least: Integer, most: Integer, options?: Reading & Stretch): readonly Row[]
  countAbove(window: Window | Period, score: Integer, options?: Reading): number
  percentile(window: Window | Period, owner: string, options?: Reading): number | null
  length(window: Window | Period, options?: Reading): number
  /**
   * Turns a sealed period into an archive, which the board keeps too and which snapshots hold. The board needs a name. Again, it
   * is the same archive, with the names of now. Throws `period_open`, `period_dropped`, and `invalid_argument` without a name.
   */
  archive(window: Window | Period, options?: Reading): Archived
  /** An archived period, without owners who are hidden now. */
  archived(window: Window | Period, options?: Reading): ArchiveView
  /** Who gets what for a sealed or archived period. Throws `period_open`. */
  payout(window: Window | Period, tiers: readonly Tier[], options?: Reading): readonly Award[]
  /** Frees the memory now; whatever is called later throws `closed`. Once more is nothing. */
  close(): void
  /** The same, for `using`. */
  [Symbol.dispose](): void
}

export type Rounding = 'floor' | 'ceil' | 'nearest'

export interface CurveOptions {
  /** 2 to 10,000. A formula that is no piece needs it; a table has it by its length. */
  readonly maxLevel?: Integer
  /** `floor` unless given. */
  readonly rounding?: Rounding
  /** Values are totals at which levels start, instead of costs. Level 1 starts at 0, whatever a formula says of it. */
  readonly cumulative?: boolean
}

/** A decimal with up to 9 digits behind the point, such as `'-0.5'`, or a fraction, such as `'-10/3'`. */
export type DecimalText = string

export type PolynomialOptions = CurveOptions & {
  readonly times?: { readonly coefficients: readonly DecimalText[]; readonly rounding?: Rounding }
}

/**
 * How much XP each level takes, in exact arithmetic; `cost(l)` is the XP from level l to l+1.
 *
 * ```js
 * LevelCurve.exponential(250, '1.2', { maxLevel: 60 }).cost(4)                                        // 432
 * LevelCurve.polynomial(['0', '0', '0', '4/5'], { cumulative: true, maxLevel: 100 }).total(100)       // 800000
 * LevelCurve.table([0, 300, 900, 2700], { cumulative: true }).costs()                                 // [300, 600, 1800]
 * LevelCurve.fromRules({ kind: 'linear', base: 100, step: 50, maxLevel: 4 }).gained(50, 260)          // [2, 3]
 * ```
 */
export class LevelCurve {
  private constructor()
  /** Costs, or with `cumulative` totals, 0 first. */
  static table(values: readonly Integer[], options?: CurveOptions): LevelCurve
  static linear(base: Integer, step: Integer, options?: CurveOptions): LevelCurve
  /** From c0 on. `times` is another one, which is rounded by itself (down unless given) before the two are multiplied. */
  static polynomial(coefficients: readonly DecimalText[], options?: PolynomialOptions): LevelCurve
  /** The growth is a text such as '1.2': 1.2 has no exact binary form. */
  static exponential(base: Integer, growth: DecimalText, options?: CurveOptions): LevelCurve
  /**
   * Pieces count their levels anew, each from its own level 1; formulas of a cumulative whole count on. All are cumulative, as the whole
   * is, or none; another one is refused as `invalid_format`. A piece need not be a curve by itself:
   * what it lacks, or a level that it begins badly, is told when it is asked as a whole. Its own `maxLevel` says nothing here.
   */
  static piecewise(pieces: readonly (readonly [fromLevel: Integer, curve: LevelCurve])[], options?: CurveOptions): LevelCurve
  /** As `progress.curve` of a rules document has it. Throws RulesError, whose `path` is that in a rules document. */
  static fromRules(document: object): LevelCurve
  cost(level: Integer): number
  total(level: Integer): number
  /** Of level 1, 2 and so on, up to the last but one: `costs()[0]` is `cost(1)`. A plain array, as plots take it. */
  costs(): readonly number[]
  /** Where level 1, 2 and so on start: `totals()[0]` is 0. */
  totals(): readonly number[]
  levelAt(xp: Integer): number
  progress(xp: Integer): { readonly level: number; readonly intoLevel: number; readonly toNext: number | null }
  /** Levels reached on the way from one total to another, in order: none if it does not rise. */
  gained(fromXp: Integer, toXp: Integer): readonly number[]
  readonly maxLevel: number
  /** Equal tables have equal hashes, whatever curve they came from. */
  readonly hash: string
}

/** A time in which XP is multiplied, from the first instant to the first one after it; below 1 the factor is a brake. */
export interface Boost { readonly id: string; readonly from: Instant; readonly until: Instant; readonly factor: DecimalText }

/** The first of each is the default. */
export interface ProgressionOptions {
  /** XP beyond the start of the highest level: the total goes on growing; it is not granted; or it is gathered apart, by an `Overflow`. */
  readonly atMaxLevel?: 'bank' | 'discard' | 'convert'
  readonly dailyXpCap?: Integer
  /** At most 256: each grant looks at all. */
  readonly boosts?: readonly Boost[]
  /** 2 and 1.5 together make 3, 2.5 or 2. Whichever it is, the result is rounded down once. Those that hold at the same time must have a common denominator below 2^53. */
  readonly boostStacking?: 'multiply' | 'add' | 'highest'
  /** How far losses may take: to the start of the level that was reached, or to zero. Without one there are none. */
  readonly floor?: 'level' | 'zero'
}

/**
 * A curve, and the rules by which XP is granted. It decides, and adds nothing itself.
 *
 * ```js
 * const progression = new Progression(LevelCurve.table([100, 200]), {
 *   dailyXpCap: 150, boosts: [{ id: 'weekend', from: now, until: tomorrow, factor: '1.5' }]
 * })
 * const grant = progression.grant(0, 120, { grantedToday: 0, now })
 * grant.boost                                              // 60
 * grant.granted                                            // 150
 * progression.curve.gained(0, grant.granted)               // [2]
 * ```
 */
export class Progression {
  constructor(curve: LevelCurve, options?: ProgressionOptions)
  readonly curve: LevelCurve
  /**
   * `grantedToday` and `losses` are 0 unless given. `score_overflow` where the boosted amount or the new total would pass 2^53 - 1,
   * `invalid_argument` for losses without a `floor`.
   */
  grant(totalXp: Integer, requested: Integer, options?: Now & { readonly grantedToday?: Integer; readonly losses?: Integer }): Grant
  /**
   * The same for one event after the other. What boosts have left over of earlier ones is added, and what they leave over now comes
   * back for next time, at most four: the sum over all events is exact but for less than 1.
   *
   * ```js
   * const weekend = { id: 'weekend', from: now, until: tomorrow, factor: '1.25' }
   * const progression = new Progression(LevelCurve.table([100]), { boosts: [weekend] })
   * const first = progression.settle(0, 3, { now })
   * first.grant.granted                                      // 3
   * first.remainders                                         // [{ factor: '5/4', rest: 3 }]
   * progression.settle(3, 3, { remainders: first.remainders, now }).grant.granted  // 4
   * ```
   */
  settle(
    totalXp: Integer,
    requested: Integer,
    options?: Now & { readonly grantedToday?: Integer; readonly losses?: Integer; readonly remainders?: readonly Remainder[] }
  ): { readonly grant: Grant; readonly remainders: readonly Remainder[] }
}

/** What boosts of one factor, a reduced fraction, have left over of a player's XP: `rest` parts of what stands below its slash. */
export interface Remainder { readonly factor: string; readonly rest: Integer }

/**
 * Days in a row, by the index of the day in a calendar: a day of 23 or 25 hours is one day. It never changes, and a plain
 * object of its members makes it again.
 *
 * ```js
 * const { index } = new Calendar().period('daily', now)
 * const first = new Streak().step(index)
 * first.day                                                // 1
 * first.streak.step(index).day                             // null
 * first.streak.step(index + 2).day                         // 1
 * first.streak.step(index + 2, { missedDaysMax: 1 }).day   // 2
 * ```
 */
export class Streak {
  constructor(state?: { readonly lastDay?: Integer; readonly length?: Integer; readonly longest?: Integer })
  readonly lastDay: number
  readonly length: number
  readonly longest: number
  /** The streak with a day taken in, and which of its days that is; null if the day, or a later one, has counted already. */
  step(day: Integer, options?: { readonly missedDaysMax?: Integer }): { readonly streak: Streak; readonly day: number | null }
  /** 0 once it cannot go on any more. */
  lengthOn(day: Integer, options?: { readonly missedDaysMax?: Integer }): number
}

/**
 * XP beyond the highest level, turned into units of something else. What was turned is never turned again, whatever a unit
 * costs later. It never changes, and a plain object of its members makes it again.
 *
 * ```js
 * const gathered = new Overflow().gather(2300, 1000)
 * gathered.units                                           // 2
 * gathered.gather(700, 1000).units                         // 3
 * ```
 */
export class Overflow {
  constructor(state?: { readonly units?: Integer; readonly rest?: Integer })
  readonly units: number
  readonly rest: number
  /** Throws `score_overflow` where a count would pass 2^53 - 1. */
  gather(surplus: Integer, every: Integer): Overflow
}

export interface MigrationPolicy {
  /** The total; the level and the share of the way to the next; or the share of the whole way to the highest level. */
  readonly policy: 'keepTotalXp' | 'keepLevelAndFraction' | 'keepEffort'
  /** Lifts whoever would fall to the start of the old level. */
  readonly neverLoseALevel?: boolean
  /** Levels that the change itself brings count as rewarded. */
  readonly skipRewards?: boolean
}

/** Levels up to `grantedThrough` were rewarded. */
export interface PlayerXp { readonly xp: number; readonly grantedThrough: number }

export interface MigrationPlan {
  readonly players: number
  readonly rise: number
  readonly fall: number
  readonly stay: number
  readonly shifts: readonly { readonly fromLevel: number; readonly toLevel: number; readonly players: number }[]
  /** How many players are rewarded for each level. */
  readonly minted: readonly { readonly level: number; readonly players: number }[]
  /** How many go without the reward of each level, because the policy skips it. */
  readonly skipped: readonly { readonly level: number; readonly players: number }[]
}

/** The same of an engine's players, with what is minted by reward. Of a loot table, `rolls`: its odds say what they give. */
export interface MigrationForecast extends MigrationPlan {
  readonly rewards: readonly { readonly reward: string; readonly receipts: number; readonly items: readonly Item[]; readonly rolls: number }[]
  /**
   * Players on curves that the new rules do not lead on from, who are in no other number: what they send is refused as
   * `curve_unknown`, a 503 that passes once the rules list these curves under `migrations`.
   */
  readonly unknown: number
}

/** A total alone is of a player whose levels were all rewarded. */
export type PlayerState = Integer | { readonly xp: Integer; readonly grantedThrough?: Integer }
/** The same, or how many share it: one unless given. */
export type PlayersState = Integer | { readonly xp: Integer; readonly grantedThrough?: Integer; readonly players?: Integer }

/** A player after a change of curves. */
export function migrateXp(oldCurve: LevelCurve, newCurve: LevelCurve, policy: MigrationPolicy, player: PlayerState): PlayerXp

/**
 * What a change of curves would do, before anybody is changed: of players one by one, or of a histogram. An error has the
 * `index` of the player at fault.
 *
 * ```js
 * const [steep, cheaper] = [LevelCurve.table([100, 100]), LevelCurve.table([50, 50, 50])]
 * const policy = { policy: 'keepTotalXp' }
 * const plan = planMigration(steep, cheaper, policy, [{ xp: 0, players: 10 }, { xp: 120, players: 5 }, 200])
 * plan.rise                                                // 6
 * plan.minted.map(({ level, players }) => [level, players]) // [[3, 5], [4, 1]]
 * migrateXp(steep, cheaper, { policy: 'keepEffort' }, 150).xp // 112
 * ```
 */
export function planMigration(oldCurve: LevelCurve, newCurve: LevelCurve, policy: MigrationPolicy, players: Iterable<PlayersState>): MigrationPlan

// Loot and receipts, each alone ---------------------------------------------------------------------------------------

/** What a claim, a reward or an entry gives. */
export type Items = readonly { readonly kind: string; readonly id: string; readonly amount: Integer }[]

export interface LootOptions {
  /** In any order, at most 1000. The names differ; a weight is at least 1, a part of the sum of all weights. */
  readonly entries: readonly { readonly name: string; readonly weight: Integer; readonly items?: Items }[]
  /** What every roll gives. */
  readonly guaranteed?: Items
  /** However unlucky, the how-manieth roll without this entry gives it: 1 to 10,000. */
  readonly pity?: { readonly entry: string; readonly guaranteedAt: Integer }
}

/** What a roll gave. `missesAfter` counts rolls in a row without the entry that pity is for: what the next roll begins with. */
export interface Roll { readonly entry: string; readonly nonce: number; readonly missesAfter: number }

/** Which roll: whose, on the table of which name, and after how many rolls without the entry of pity (0 unless given). */
export interface RollOf { readonly seed: Uint8Array; readonly table: string; readonly player: string; readonly misses?: Integer }

/**
 * A weighted table: published odds that are exact, and rolls that anyone can check once the seed is revealed. The same
 * arguments give the same roll, for ever: never use a nonce of a player and table twice.
 *
 * ```js
 * const chest = new Loot({ entries: [{ name: 'crown', weight: 1 }, { name: 'scale', weight: 99 }], pity: { entry: 'crown', guaranteedAt: 50 } })
 * const seed = new Uint8Array(32).fill(7)                  // 32 secret random bytes
 * const commitment = seedCommitment(seed)                  // to be published before the first roll
 * const roll = chest.roll({ seed, table: 'hydra-chest', player: 'ana', nonce: 12, misses: 49 })
 * roll.entry                                               // 'crown'
 * chest.verifyRoll({ seed, commitment, table: 'hydra-chest', player: 'ana', misses: 49, roll }) // true
 * chest.expectedRolls('crown')                             // '39.499393'
 * ```
 */
export class Loot {
  constructor(options: LootOptions)
  /** As a table of `loot` in a rules document has it. Throws RulesError, whose `path` is that of a table named `table`. */
  static fromRules(document: object): Loot
  /** `nonce` is the player's number of the roll on this table. */
  roll(options: RollOf & { readonly nonce: Integer }): Roll
  /** Whether the seed is the one committed to, and gives this very roll. */
  verifyRoll(options: RollOf & { readonly commitment: string; readonly roll: Roll }): boolean
  /**
   * The same of a roll that an engine made: whether the receipt's `roll` is one of this table, as it is now, and gives what the receipt
   * gives. False for a receipt without a roll.
   */
  verifyReceipt(options: { readonly seed: Uint8Array; readonly commitment: string; readonly player: string; readonly receipt: Receipt }): boolean
  /**
   * Of every entry: `weight` in `total` in a roll that pity does not decide, and `longRun`, a part of one with 15 digits, over many
   * rolls, pity's included: what detectors of drops compare with.
   */
  odds(): readonly { readonly entry: string; readonly weight: number; readonly total: number; readonly longRun: DecimalText }[]
  /** Rolls until an entry comes, on average and with pity: a decimal with up to 6 digits behind the point; null if it never does. */
  expectedRolls(entry: string): DecimalText | null
  /** Guaranteed items first; null if there is no such entry. */
  items(entry: string): readonly Item[] | null
  readonly entries: readonly { readonly name: string; readonly weight: number; readonly items: readonly Item[] }[]
  readonly guaranteed: readonly Item[]
  readonly pity: { readonly entry: string; readonly guaranteedAt: number } | null
}

/** What to publish before the first roll: a hash of the seed. */
export function seedCommitment(seed: Uint8Array): string

/**
 * The id of a reward: the same whenever and however often it is computed. `index` tells apart what one reward gives several
 * of in one scope, and is 0 unless given.
 */
export function receiptId(reward: RewardOf): string
export interface RewardOf {
  readonly game: string
  readonly player: string
  readonly reward: string
  readonly scope: Scope
  readonly index?: Integer
}
/** What the next receipt of the chain points back to. */
export function receiptHash(receipt: Receipt): string
export function receiptState(receipt: Receipt, options?: Now): ReceiptState
/**
 * Checks a player's receipts, oldest first, against the hash of the newest: null if the chain holds, else the number of the
 * last receipt before the break. The oldest may have been trimmed. Throws ValidationError for what are no receipts.
 *
 * ```js
 * const receipts = engine.receipts('ana')
 * verifyChain(receipts, engine.chainHead('ana'))                   // null
 * verifyChain(JSON.stringify(receipts), engine.chainHead('ana'))   // null
 * const signature = signReceipt(ring, receipts[0])                 // 'v1,...,2026', by the key of the receipt's own time
 * verifyReceipt(ring, receipts[0], signature).keyId                // '2026'
 * ```
 */
export function verifyChain(receipts: readonly Receipt[] | Received, head: string): number | null
/** `v1,`, the MAC and the id of the key. A secret without a name signs nothing: `unknown_key`. What state a receipt is in does not count. */
export function signReceipt(keys: readonly Key[], receipt: Receipt): string
/** Throws SignatureError: `unknown_key`, also for one that was not valid at the receipt's time, `signature_mismatch` or `malformed_header`. */
export function verifyReceipt(keys: readonly Key[], receipt: Receipt, signature: string): { readonly keyId: string }

// Calendars and detectors, each alone ---------------------------------------------------------------------------------

/** Seasons are months, or lines of a table in order; what lies between them belongs to no season. */
export type Seasons =
  | { readonly every: 'month'; readonly label?: 'YYYY-MM' }
  | { readonly table: readonly { readonly label: string; readonly from: string; readonly until: string }[] }

/** As in a rules document: times are written `YYYY-MM-DDTHH:MM:SSZ`. */
export interface CalendarOptions {
  /** How far local time is ahead of UTC; 0 unless given. With changes it is needed, and holds before the first of them. */
  readonly utcOffsetMinutes?: Integer
  /** For a named time zone, in order of time; `docs/calendars.md` makes the table with Intl. */
  readonly utcOffsetChanges?: readonly { readonly from: string; readonly minutes: Integer }[]
  /** The minute of the local day at which a new one begins; 0 unless given. */
  readonly resetMinute?: Integer
  readonly weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday'
  /** How long after its end a period still takes events of its own time; 0 unless given. */
  readonly graceSeconds?: Integer
  readonly seasons?: Seasons
}

/** Where a period is in its life. `archived` is said by boards that keep archives, never by a calendar. */
export type PeriodState = 'future' | 'open' | 'grace' | 'sealed' | 'archived' | 'dropped'

/**
 * When periods begin and close; written as in a rules document.
 *
 * ```js
 * const tokyo = new Calendar({ utcOffsetMinutes: 540, resetMinute: 300 })
 * const day = tokyo.period('daily', new Date('2026-12-31T20:00:00Z'))          // day.label is '2027-01-01'
 * tokyo.state(day, 2, { nowMs: day.end })                                      // 'sealed'
 * for (const { label } of tokyo.closedBetween(['daily'], day.start, day.end)) console.log(label) // 2027-01-01
 * ```
 */
export class Calendar {
  /** Of another one: the same. */
  constructor(options?: CalendarOptions | Calendar)
  /** The period that holds a time; null between seasons. */
  period(window: Window, time: Instant): PeriodDetails | null
  /** A period by its index: the one before has `index - 1`. */
  describe(period: Period): PeriodDetails
  /** When `keep` closed periods stay readable. */
  state(period: Period, keep: Integer, options?: Now): PeriodState
  /** When the current period changes next; null if never. */
  nextReset(window: Window, options?: Now): number | null
  /** Periods that close in `after < t <= through`, once and in order, made as they are taken. Keep `through` and pass it as the next `after`. */
  closedBetween(windows: readonly Window[], after: Instant, through: Instant): IterableIterator<PeriodDetails>
}

/** Scores a value against what it has learned. NaN and the infinities are anomalies and teach nothing. */
export abstract class Detector {
  /** Scores, then learns. */
  observe(value: number): Verdict
  score(value: number): Verdict
  learn(value: number): void
  /**
   * Many values in order, read where they are; `findings` are the anomalies. What is no value of this detector's (NaN, the infinities, for
   * amounts what is negative) is a RangeError with its `index`, and nothing is learned.
   */
  observeMany(values: Float64Array): { readonly scores: Float64Array; readonly findings: readonly { readonly index: number; readonly verdict: Verdict }[] }
  /** Takes in what another of the same class has learned. */
  merge(other: this): void
  /** What it has learned, for `fromBytes` of its class: at most 36 bytes. */
  toBytes(): Uint8Array
}
/** Standard deviations from the mean of all earlier values; the threshold is 3 unless given. */
export class ZScore extends Detector {
  constructor(options?: ZScoreOptions)
  /** Throws StoreError for bytes that are none of its own. */
  static fromBytes(bytes: Uint8Array, options?: ZScoreOptions): ZScore
}
export interface ZScoreOptions { readonly threshold?: number }
/** The same from the mean of recent values, about `span` of them; 20 unless given. */
export class Ewma extends Detector {
  constructor(options?: EwmaOptions)
  /** Throws StoreError for bytes that are none of its own. */
  static fromBytes(bytes: Uint8Array, options?: EwmaOptions): Ewma
}
export interface EwmaOptions { readonly threshold?: number; readonly span?: Integer }
/** Of `ln(1 + x)`: mean, standard deviation, and the weight in events. */
export interface Prior { readonly mean: number; readonly sd: number; readonly weight: number }
/**
 * How many times as large as usual. With a prior, in logarithms of `1 + x`, it has an opinion from the first value on; without one the first ten
 * values say what is usual, in whatever unit, and 0 is neither judged nor learned.
 */
export class Robust extends Detector {
  constructor(options?: RobustOptions)
  /** Throws StoreError for bytes that are none of its own. */
  static fromBytes(bytes: Uint8Array, options?: RobustOptions): Robust
}
export interface RobustOptions { readonly threshold?: number; readonly prior?: Prior }
/**
 * Amounts that have risen, however slowly (E. S. Page, 1954). Upwards only; the threshold, in standard deviations, is 12 unless given. It does
 * not tell those who cheat from those who have got better: where honest players rise, `Family` learns how far from history.
 */
export class Cusum extends Detector {
  constructor(options?: RobustOptions)
  /** Throws StoreError for bytes that are none of its own. */
  static fromBytes(bytes: Uint8Array, options?: RobustOptions): Cusum
}
/** A duration shorter than possible. */
export class TimeFloor extends Detector {
  constructor(options: TimeFloorOptions)
  /** Throws StoreError for bytes that are none of its own. */
  static fromBytes(bytes: Uint8Array, options: TimeFloorOptions): TimeFloor
}
export interface TimeFloorOptions { readonly minimumMs: Integer }

/** Published odds, above 0 and below 1. The threshold is in natural logarithms: 11.5 unless given, which flags at most one honest player in 100,000. */
export interface DropRateOptions { readonly odds: number; readonly threshold?: number }
/**
 * Drops more often than published, after any number of them and however often one looks (H. Robbins, 1970). Bad luck counts for nothing.
 * Of a loot table with pity the odds are `Number(longRun)` of its `odds()`, not the weight in the total.
 *
 * ```js
 * const crown = new DropRate({ odds: 0.0473 })
 * crown.observe(262, 42).reason                                                // 'tooManyDrops'
 * crown.tail < 5.7e-12                                                         // true: the exact probability of so many or more
 * ```
 */
export class DropRate {
  constructor(options: DropRateOptions)
  /** Throws StoreError for bytes that are none. */
  static fromBytes(bytes: Uint8Array, options: DropRateOptions): DropRate
  /** Counts chances and how many of them brought the drop; the verdict on all so far. RangeError, and nothing counted, for more hits than chances. */
  observe(chances: Integer, hits: Integer): Verdict
  score(chances: Integer, hits: Integer): Verdict
  learn(chances: Integer, hits: Integer): void
  readonly chances: number
  readonly hits: number
  /** The exact binomial probability of as many hits or more at the published odds. */
  readonly tail: number
  /** RangeError if it was made with other odds. */
  merge(other: DropRate): void
  toBytes(): Uint8Array
}

/** The threshold is in natural logarithms, below 100: 16 unless given. Without a population people's intervals are taken to be wide. */
export interface RegularityOptions { readonly threshold?: number; readonly population?: Population }
/** Intervals as regular as a program's: breaks of half an hour speak for a person, events within a second are one act, and usual intervals below 1.75 s are not judged. */
export class Regularity {
  constructor(options?: RegularityOptions)
  /** Throws StoreError for bytes that are none. */
  static fromBytes(bytes: Uint8Array, options?: RegularityOptions): Regularity
  /** Scores an event at this time, then learns it. One out of order tells nothing. */
  observe(time: Instant): Verdict
  score(time: Instant): Verdict
  learn(time: Instant): void
  merge(other: Regularity): void
  toBytes(): Uint8Array
}

/** A verdict in one sentence, as for a Judgement of an effect: what is wrong, by how much, and compared with what. */
export function sentenceOf(verdict: Finding): string

/**
 * Turns the verdicts of one detector into alerts: the first of an excursion is one, and no other is until the score has fallen to half the
 * threshold.
 */
export class Hysteresis {
  constructor()
  isFirst(verdict: Finding): boolean
  readonly isRaised: boolean
}

/** How many alerts of one player are raised within a day of 24 hours from the first: a storm buries nobody else's. */
export class AlertBudget {
  constructor(options: { readonly perDay: Integer })
  /** Whether an alert is raised now; it is counted either way. */
  allows(tally: AlertTally, options?: Now): boolean
}
/** What one player has spent of an AlertBudget. */
export class AlertTally {
  constructor()
  /** Throws StoreError for bytes that are none. */
  static fromBytes(bytes: Uint8Array): AlertTally
  toBytes(): Uint8Array
  /** How many alerts were not raised, ever. */
  readonly suppressed: number
}

// Families of detectors -----------------------------------------------------------------------------------------------

/**
 * Amounts too large for this player, amounts that rise and rise, drops more often than published, kills faster than possible, intervals of
 * a program.
 */
export type FamilyDetector = 'robust' | 'drift' | 'dropRate' | 'timeFloor' | 'regularity'
/** Natural logarithms of how improbable what each detector has seen is: 0 to 100. */
export type Scores = { readonly [detector in FamilyDetector]: number }
/** Scores above which detectors alert, above 0; 100 switches one off. */
export type Thresholds = { readonly [detector in FamilyDetector]: number }
export interface FamilyFinding { readonly detector: FamilyDetector; readonly verdict: Verdict }
/** When an event was: no clock knows that. */
export type At = { readonly atMs: Integer; readonly at?: never } | { readonly at: Date; readonly atMs?: never }

/** What an event says of a player; what it does not say is left out. */
export type Observation = At & {
  /** Finite and not negative, boosts included; `boost` is what the rules multiplied it by, 1 unless given. */
  readonly gain?: { readonly activity: string; readonly amount: number; readonly boost?: number }
  readonly kill?: { readonly boss: string; readonly durationMs: Integer }
  /** A kill may tell the chance and a later claim the hit: they add up. 0 unless given. */
  readonly drops?: { readonly drop: string; readonly chances?: Integer; readonly hits?: Integer }
}

/** Events in columns, all as long as `atMs` and read where they are. A name is one for all events, or one for each. */
export interface ObservationColumns {
  readonly atMs: Float64Array | BigInt64Array
  readonly activity?: string | readonly string[]
  readonly amount?: Float64Array
  readonly boost?: number | Float64Array
  readonly boss?: string | readonly string[]
  readonly durationMs?: Uint32Array
  readonly drop?: string | readonly string[]
  readonly chances?: Uint32Array
  readonly hits?: Uint32Array
}

/**
 * Five detectors, configured once for all players. An event is scored before it is learned, learning is clamped, and an excursion alerts
 * once. Only what helps a player is suspicious. It cannot see collusion, a script recorded from a person, or who starts again under a new
 * name: one player's data does not show that.
 *
 * ```js
 * const family = new Family().boss('hydra', { floorMs: 45_000 }).dropOdds('crown', 0.05)
 * const ana = new PlayerProfile()
 * const [{ detector, verdict }] = family.observe(ana, { at: now, kill: { boss: 'hydra', durationMs: 12_000 } })
 * detector                                                                     // 'timeFloor'
 * verdict.sentence                                                             // 'The duration is shorter than the rules hold possible, which is 45 s.'
 * family.observe(ana, { at: now, kill: { boss: 'hydra', durationMs: 12_000 } }).length // 0: said once
 * ana.toBytes().length                                                         // 63: whatever there was to learn
 * ```
 */
export class Family {
  /** Without a population a player's first ten values of an activity say what is usual; without thresholds it is cautious. */
  constructor(options?: Population | { readonly population?: Population; readonly thresholds?: Partial<Thresholds> })
  /** Makes a boss known; those of the population are. With a floor, any kill below it alerts. */
  boss(name: string, options?: { readonly floorMs?: Integer }): this
  /** Keeps an activity apart for sure where there is no population; others are by a hash of their names, of which there are 254. */
  keepApart(activity: string): this
  /** Makes a drop known, with its published odds. */
  dropOdds(name: string, odds: number): this
  readonly thresholds: Thresholds
  /** Scores an event, then learns it: the alerts that it causes, most often none. RangeError, and nothing learned, for a boss or drop that is not known. */
  observe(profile: PlayerProfile, event: Observation): readonly FamilyFinding[]
  /** The same without learning. */
  score(profile: PlayerProfile, event: Observation): readonly FamilyFinding[]
  /**
   * Many events of one player in order. `scores` has as many of each event as there are `detectors`, in their order, as they are after it. Of bad
   * input none is learned; the RangeError has the `index` of the event.
   */
  observeMany(profile: PlayerProfile, columns: ObservationColumns): {
    readonly detectors: readonly FamilyDetector[]
    readonly scores: Float64Array
    readonly findings: readonly (FamilyFinding & { readonly index: number })[]
  }
}

/** What a family has learned of one player. */
export class PlayerProfile {
  constructor()
  /** Throws StoreError for bytes that are none. */
  static fromBytes(bytes: Uint8Array): PlayerProfile
  toBytes(): Uint8Array
  /** Two accounts that turn out to be one player: values are pooled, and of suspicions the larger counts. */
  merge(other: PlayerProfile): void
  readonly scores: Scores
  /** Which detectors have alerted and not yet calmed down. */
  readonly alerted: readonly FamilyDetector[]
}

/** What is usual in a game: data with a hash, to be kept beside the rules. A new one knows nothing and is wide. */
export class Population {
  constructor()
  /** Throws StoreError for bytes that are none. */
  static fromBytes(bytes: Uint8Array): Population
  toBytes(): Uint8Array
  readonly hash: string
  readonly activities: readonly string[]
  readonly bosses: readonly string[]
}

/** Events that were taken in, and lines that are none by the rules. */
export interface HistoryCount { readonly events: number; readonly refused: number }

/**
 * Builds a Population in one pass through history, cheaters in it included: what one player contributes is bounded. Events of a player come
 * in their order, players in any.
 */
export class PopulationBuilder {
  constructor()
  gain(player: string, event: At & { readonly activity: string; readonly amount: number; readonly boost?: number }): void
  kill(player: string, event: At & { readonly boss: string; readonly durationMs: Integer }): void
  /** One event a line, of any age, as rules tell families of them. */
  teachNdjson(rules: Rules, lines: Received): HistoryCount
  /** Events of players who came when there were four million already. */
  readonly leftOut: number
  /** What too little is known of stays wide. */
  finish(): Population
}

/** False alerts that are affordable, over all detectors: per player and day with events, per event, or as the part of players ever flagged. */
export type Budget = { readonly perPlayerDay: number } | { readonly perEvent: number } | { readonly perPlayer: number; readonly events?: Integer }
export interface Calibration extends HistoryCount {
  readonly thresholds: Thresholds
  /** Events of players who came when there were four million already. */
  readonly leftOut: number
}

/** Finds thresholds from the most that each player's scores have been; `Rules.calibrate` does all of it. */
export class Calibrator {
  constructor()
  player(): PlayerMost
  /** A player all of whose events were observed, and on how many days there were any. */
  add(player: PlayerMost, options: { readonly days: Integer }): void
  /** RangeError with fewer than 200 players. */
  thresholds(budget: Budget): Thresholds
}
/** One player on the way through a Calibrator. */
export class PlayerMost {
  private constructor()
  /** After each event that a family observed. */
  observe(profile: PlayerProfile): void
}

// Errors ------------------------------------------------------------------------------------------------------------

/** What all errors of the library have. Codes are stable. */
export class LiveopsError extends Error {
  protected constructor()
  readonly code: string
  /** The status that a server in front should answer with; 429 and 503 may pass: the same can be tried again. */
  readonly httpStatus: number
}
export class RulesError extends LiveopsError {
  protected constructor()
  /** JSON Pointer to what is wrong. */
  readonly path: string
  readonly issue: string
}
export class SignatureError extends LiveopsError { protected constructor() }
export class StoreError extends LiveopsError {
  protected constructor()
  /** What the store says, if it says more: for a log. */
  readonly cause?: Error
}
/** One thing that the sender can mend. Never has a value of the body in it. */
export interface Issue {
  readonly code: string
  /** JSON Pointer; empty for the whole body. */
  readonly path: string
  readonly message: string
  /** The limit that was passed. */
  readonly limit?: number
  /** Where reading stopped, in bytes from the beginning of the body or line, if it is no JSON. */
  readonly offset?: number
}
export class ValidationError extends LiveopsError {
  protected constructor()
  readonly issues: readonly Issue[]
}
/** Why something was not taken, with all that an HTTP answer needs. */
export class Refusal extends LiveopsError {
  protected constructor()
  readonly issues: readonly Issue[]
  /** Seconds after which to try again, if that helps. */
  readonly retryAfter: number | null
  /** A problem document (RFC 9457). */
  problem(): { readonly type: string; readonly title: string; readonly status: number; readonly code: string; readonly detail: string; readonly issues?: readonly Issue[]; readonly retryAfterSeconds?: number }
  headers(): Record<string, string>
}
