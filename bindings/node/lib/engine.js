'use strict'
// The engine: rules and a store. What may touch the store is done when a call returns, or with `Async` as a promise.

const { all, bytes, count, flag, handle, integer, now, options, received, since, text, BEGINNING, TIME } = require('./arguments.js')
const { Archive, Names } = require('./archive.js')
const { Command, makeCommand } = require('./command.js')
const { Board } = require('./engine_board.js')
const { cursorOf } = require('./board.js')
const { call, called } = require('./errors.js')
const { freeze, read } = require('./json.js')
const { CLOSED, asyncDispose, dispose, handleOf, heldBy, hold, isClosed, native } = require('./native.js')
const { Outcome, Outcomes } = require('./outcome.js')
const { Payout } = require('./payout.js')
const { Rules, taken } = require('./rules.js')
const { opened, storeOf } = require('./store.js')
const { verbs, walk, walkAsync } = require('./verbs.js')
const { readingOf } = require('./when.js')
const { writerOf } = require('./writer.js')

const OPTIONS = ['store', 'feed', 'snapshot', 'at', 'recording']
/** Items of a page unless it is said how many, and those that a walk asks for at once. */
const PAGE_LEN = 1000
const FEED_PAGE_LEN = 100

/** Threads at most that one call may take. `INGEST_THREADS_MAX` of the core. */
const THREADS_MAX = 64

/** The store of an engine, as it was given. */
const stores = new WeakMap()
/** Of an engine that `closeAsync` closes: when it is done. */
const closings = new WeakMap()

/** Decides events and operators' commands, each exactly once. */
class Engine {
  constructor (rules, opts) {
    const given = options(opts, OPTIONS)
    made(this, storeOf(given), (store) => call(() => native.Engine.open(false, ...openingOf(rules, given, store))))
  }

  /** The same without holding the event loop while the store is opened; over a network there is no other way. */
  static async open (rules, opts) {
    const given = options(opts, OPTIONS)
    const store = storeOf(given)
    const engine = await called(() => native.Engine.open(true, ...openingOf(rules, given, store)))
    return made(Object.create(Engine.prototype), store, () => engine)
  }

  /** An engine in the state of a snapshot; with `at`, the present, brought back from an advance too far. */
  static restore (rules, snapshot, opts) {
    const given = options(opts, OPTIONS.filter((name) => name !== 'snapshot'))
    return new Engine(rules, { ...given, snapshot: bytes(snapshot, 'snapshot') })
  }

  /** The rules in force. */
  get rules () {
    const engine = handleOf(this, Engine)
    return hold(Object.create(Rules.prototype), call(() => engine.rules()))
  }

  /** The store, as it was given; a MemoryStore if none was. */
  get store () {
    handleOf(this, Engine)
    return stores.get(this)
  }

  /** Into how many parts the feed is cut. */
  get partitions () {
    return call(() => handleOf(this, Engine).partitions())
  }

  /** Takes an event that an Intake admitted, or a command. Never throws for a refusal; `unwrap()` does. */
  submit (command) {
    const given = handle(command, 'command', Command)
    return new Outcome(JSON.parse(call(() => handleOf(this, Engine).submit(given))))
  }

  /** The same as a promise. Those that wait at once are written together. */
  async submitAsync (command) {
    const engine = handleOf(this, Engine)
    const given = handle(command, 'command', Command)
    // In memory it takes microseconds, and waits only behind what was called before.
    const writer = writerOf(engine)
    return engine.blocks || writer.isBusy ? writer.one(given) : this.submit(command)
  }

  /** Takes a batch. A row that is no Command is refused by itself as `invalid_argument`. */
  submitBatch (commands) {
    const rows = rowsOf(commands)
    return new Outcomes(call(() => handleOf(this, Engine).submitBatch(rows)))
  }

  /** The same as a promise, on another thread. */
  async submitBatchAsync (commands) {
    return writerOf(handleOf(this, Engine)).batch(rowsOf(commands))
  }

  /** Takes lines of JSON, one event each, from a source that is trusted: no signature is asked for. */
  submitNdjson (lines, opts) {
    const given = ingestOf(lines, opts)
    return new Outcomes(call(() => handleOf(this, Engine).submitNdjson(...given)))
  }

  /** The same as a promise, on other threads. What `lines` holds when it is called is what counts. */
  async submitNdjsonAsync (lines, opts) {
    return writerOf(handleOf(this, Engine)).lines(ingestOf(lines, opts))
  }

  /** Every player, by the store's order, read by the page as they are taken. */
  players () {
    handleOf(this, Engine)
    return walk((cursor) => this.playersPage(cursor))
  }

  /** The same of a store that waits for its disk or its server. */
  playersAsync () {
    handleOf(this, Engine)
    return walkAsync((cursor) => this.playersPageAsync(cursor))
  }

  /** A player's kept suspicions, oldest first; everybody's if none is named, read by the page as they are taken. */
  suspicions (...player) {
    const engine = handleOf(this, Engine)
    if (player.length === 0) return walk((cursor) => this.suspicionsPage(cursor))
    const named = text(player[0], 'player')
    return read(call(() => engine.suspicionsOf(false, named))).values()
  }

  /** The same of a store that waits for its disk or its server. */
  suspicionsAsync (...player) {
    const engine = handleOf(this, Engine)
    if (player.length === 0) return walkAsync((cursor) => this.suspicionsPageAsync(cursor))
    const named = text(player[0], 'player')
    return walkAsync(async () => ({ items: read(await called(() => engine.suspicionsOf(true, named))), next: null }))
  }

  /** One command for each player who is still on another curve: to be submitted until there are none. */
  migrations (opts) {
    handleOf(this, Engine)
    const nowMs = now(options(opts, TIME))
    return walk((cursor) => this.migrationsPage(cursor, PAGE_LEN, { nowMs }))
  }

  /** The same of a store that waits for its disk or its server. */
  migrationsAsync (opts) {
    handleOf(this, Engine)
    const nowMs = now(options(opts, TIME))
    return walkAsync((cursor) => this.migrationsPageAsync(cursor, PAGE_LEN, { nowMs }))
  }

  /** What happened behind a cursor of the feed, up to now, read by the page as it is taken; without one from the start. */
  feed (after, opts) {
    handleOf(this, Engine)
    const [cursor, part] = [cursorOf(after), options(opts, ['partition'])]
    return walk((next) => ended(this.feedPage(next ?? cursor, PAGE_LEN, part)))
  }

  /** The same of a store that waits for its disk or its server. */
  feedAsync (after, opts) {
    handleOf(this, Engine)
    const [cursor, part] = [cursorOf(after), options(opts, ['partition'])]
    return walkAsync(async (next) => ended(await this.feedPageAsync(next ?? cursor, PAGE_LEN, part)))
  }

  /** A board, for reading: of memory, whatever the store. */
  board (name) {
    return new Board(this, name)
  }

  /** Periods that close in `after < t <= through`, once and in order, made as they are taken. */
  closedBetween (after, through) {
    const [from, until] = [since(after, 'after'), since(through, 'through')]
    return taken(call(() => handleOf(this, Engine).rules().calendar().closings(undefined, from, until)))
  }

  /** Counts since the engine was made, by stable names. */
  stats () {
    return read(call(() => handleOf(this, Engine).stats()))
  }

  /**
   * Answers the submits that wait, then lets go of the store and of all memory: a file can be opened by others when this returns. Whatever
   * is called later, or has not begun, is `closed`; once more is nothing.
   */
  close () {
    const engine = closing(this)
    if (engine !== undefined) call(() => engine.close(false))
    native.tellMemory()
  }

  /** The same as a promise: what waits may take a while. Whoever calls it meanwhile waits for the same. */
  async closeAsync () {
    const engine = closing(this)
    if (engine !== undefined) closings.set(this, called(() => engine.close(true)))
    await closings.get(this)
  }

  /** `close`, for `using`. */
  [dispose] () {
    this.close()
  }

  /** `closeAsync`, for `await using`. */
  async [asyncDispose] () {
    await this.closeAsync()
  }
}

verbs(Engine, (engine) => handleOf(engine, Engine), {
  // One player; null for a stranger.
  player: [(player) => [text(player, 'player')], read],
  playersPage: [(...page) => pageOf(page), paged],
  // A player's receipts, oldest first; those that can be claimed now; the hash of the newest, which `verifyChain` checks against.
  receipts: [(player) => [text(player, 'player')], read],
  receiptsPage: [(player, ...page) => [text(player, 'player'), ...pageOf(page)], paged],
  claimable: [(player, opts) => [text(player, 'player'), now(options(opts, TIME))], read],
  chainHead: [(player) => [text(player, 'player')], told],
  // Everybody's suspicions; also as lines of JSON, each verdict in words.
  suspicionsPage: [(...page) => pageOf(page), paged],
  suspicionsNdjson: [() => [], told],
  suspicionsNdjsonPage: [(...page) => pageOf(page), paged],
  // Why a player has this XP, this level and these rewards, line by line; null for a stranger.
  explain: [(player, opts) => [text(player, 'player'), now(options(opts, TIME))], read],
  // Everything stored about one player.
  exportPlayer: [(player) => [text(player, 'player')], read],
  exportPlayerPage: [(player, ...page) => [text(player, 'player'), ...pageOf(page)], read],
  // Moves the horizon, never back; measured by the clock, unless `far: true` says that the time is meant.
  advance: [(opts) => {
    const given = options(opts, [...TIME, 'far'])
    const far = given.far !== undefined && flag(given.far, 'far')
    return [given.nowMs === BEGINNING ? BEGINNING : now(given), Date.now(), far]
  }, read],
  horizon: [() => [], read],
  // Who gets what for a finished period, from the board or an archive, and every board that closed since a mark, paid.
  payout: [(board, window, opts) => [text(board, 'board'), readingOf(window, opts)], (told) => new Payout(told)],
  payoutArchived: [
    (archive, names, opts) => [handle(archive, 'archive', Archive), handle(names, 'names', Names), now(options(opts, TIME))],
    (told) => new Payout(told)
  ],
  payClosed: [(mark, opts) => [mark === undefined || mark === null ? undefined : since(mark, 'mark'), now(options(opts, TIME))], read],
  // The whole state: its name, its bytes, how much it is.
  digest: [() => [], told],
  snapshot: [() => [], told],
  size: [() => [], read],
  // How far the boards here are behind what other processes wrote; when it returns, they have all of it; and how the engine is.
  lag: [() => [], read],
  catchUp: [() => [], () => undefined],
  status: [() => [], read],
  // What happened, for others: entries behind a cursor, who has dealt with them, and how far.
  feedPage: [(cursor, limit = FEED_PAGE_LEN, opts = undefined) => {
    const { partition } = options(opts, ['partition'])
    return [cursorOf(cursor), count(limit, 'limit'), partitionOf(partition)]
  }, entriesOf],
  last: [(partition) => [partitionOf(partition)], told],
  ack: [(consumer, cursor) => [text(consumer, 'consumer'), cursorOf(cursor)], () => undefined],
  dropConsumer: [(consumer) => [text(consumer, 'consumer')], () => undefined],
  consumers: [() => [], read],
  // New rules in force, what they would make of the players of now, and the commands that bring players to them.
  replaceRules: [(rules, opts) => {
    const given = options(opts, TIME)
    const time = TIME.some((name) => Object.hasOwn(given, name)) ? now(given) : undefined
    return [handle(rules, 'rules', Rules), time]
  }, read],
  planMigration: [(rules) => [handle(rules, 'rules', Rules)], read],
  migrationsPage: [(cursor, limit, opts) => {
    const time = now(options(opts, TIME))
    return [...pageOf([cursor, limit]), time]
  }, ({ items, next }) => Object.freeze({ items: Object.freeze(commandsOf(items)), next: next ?? null })]
})

/** Puts an engine of the addon behind one of ours, and the store. */
function made (engine, { opened: store, ...description }, open) {
  const native = open(description)
  hold(engine, native)
  stores.set(engine, store)
  opened(store, native)
  return engine
}

/** What an engine is opened with, in the form of the addon. */
function openingOf (rules, { recording }, { store, snapshot, at }) {
  const records = recording !== undefined && flag(recording, 'recording')
  return [handle(rules, 'rules', Rules), store, snapshot, { at, recording: records, clock: Date.now() }]
}

/** Lines, when they came, and how many threads decide them. */
function ingestOf (lines, opts) {
  const given = options(opts, [...TIME, 'threads'])
  const threads = given.threads === undefined ? 1 : integer(given.threads, 'threads', 1, THREADS_MAX)
  return [received(lines, 'lines'), now(given), threads]
}

/** The engine of the addon behind one that is closed from now on; undefined if it was. */
function closing (self) {
  if (isClosed(self)) return undefined
  const engine = handleOf(self, Engine)
  writerOf(engine).flush()
  hold(self, CLOSED)
  return engine
}

/** The native objects of commands; null for a row that is none. */
const rowsOf = (commands) => all(commands, 'commands').map((row) => row instanceof Command ? heldBy(row) ?? null : null)

const commandsOf = (natives) => natives.map((command) => makeCommand(() => command))

/** The answer as the addon gives it. */
function told (answer) {
  return answer
}

/** Where a page begins and how long it is. */
function pageOf ([cursor, limit = PAGE_LEN]) {
  return [cursorOf(cursor), count(limit, 'limit')]
}

/** A page from the addon. */
function paged ({ items, next }) {
  return Object.freeze({ items: read(items), next: next ?? null })
}

const PARTITION_MAX = 65_535

function partitionOf (partition) {
  return partition === undefined ? 0 : integer(partition, 'partition', 0, PARTITION_MAX)
}

/** Entries of the feed, each with the commands that led to it, if they are recorded. */
function entriesOf ({ items, commands, next }) {
  const entries = JSON.parse(items)
  commands.forEach((led, at) => {
    if (led !== null && led !== undefined) entries[at].run.commands = commandsOf(led)
  })
  return freeze({ items: entries, next })
}

/** The feed has no end: for a walk, a page without entries is one. */
const ended = ({ items, next }) => ({ items, next: items.length === 0 ? null : next })

module.exports = { Engine }
