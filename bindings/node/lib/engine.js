'use strict'
// The engine: rules and a store in memory.

const { bytes, count, handle, instant, integer, list, now, options, text, INTEGER_MAX, TIME } = require('./arguments.js')
const { Command } = require('./command.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { Outcome, Outcomes } = require('./outcome.js')
const { Rules, periodOf, windowName } = require('./rules.js')

/** Decides events and operators' commands, each exactly once. */
class Engine {
  constructor (rules, opts) {
    const given = handle(rules, 'rules', Rules)
    const feed = feedOf(opts)
    hold(this, call(() => new native.Engine(given, feed)))
  }

  /** An engine in the state of a snapshot. */
  static restore (rules, snapshot, opts) {
    const given = handle(rules, 'rules', Rules)
    const content = bytes(snapshot, 'snapshot')
    const feed = feedOf(opts)
    return hold(Object.create(Engine.prototype), call(() => native.Engine.restore(given, content, feed)))
  }

  /** Takes an event that an Intake admitted, or a command. Never throws for a refusal; `unwrap()` does. */
  submit (command) {
    const given = handle(command, 'command', Command)
    return new Outcome(JSON.parse(call(() => handleOf(this).submit(given))))
  }

  /** The same as a promise, whatever the store. */
  async submitAsync (command) {
    return this.submit(command)
  }

  /** Takes a batch. A row that is no Command is refused by itself as `invalid_argument`. */
  submitBatch (commands) {
    const rows = list(commands, 'commands').map((row) => row instanceof Command ? handleOf(row) ?? null : null)
    return new Outcomes(call(() => handleOf(this).submitBatch(rows)))
  }

  /** Takes lines of JSON, one event each, from a source that is trusted: no signature is asked for. */
  submitNdjson (lines, opts) {
    const time = now(options(opts, TIME))
    return new Outcomes(call(() => handleOf(this).submitNdjson(bytes(lines, 'lines'), time)))
  }

  /** One player; null for a stranger. */
  player (player) {
    return read(call(() => handleOf(this).player(text(player, 'player'))))
  }

  /** A player's kept receipts, oldest first. */
  receipts (player) {
    return read(call(() => handleOf(this).receipts(text(player, 'player'))))
  }

  /** A player's kept suspicions, oldest first; everybody's if none is named. */
  suspicions (...player) {
    const named = player.length === 0 ? undefined : text(player[0], 'player')
    return read(call(() => handleOf(this).suspicions(named)))
  }

  /** A board, for reading. */
  board (name) {
    const board = text(name, 'board')
    call(() => handleOf(this).hasBoard(board))
    return new Board(handleOf(this), board)
  }

  /** Moves the horizon, never back; closes periods and frees what is too old to matter. To be called now and then. */
  advance (opts) {
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this).advance(time)))
  }

  /** Periods that close in `after < t <= through`, once and in order; at most 100,000. */
  closedBetween (after, through) {
    return read(call(() => handleOf(this).rules().calendar().closedBetween(instant(after, 'after'), instant(through, 'through'))))
  }

  /** Names the whole state: two engines with one digest hold the same, to the last bit. */
  digest () {
    return call(() => handleOf(this).digest())
  }

  /** The whole state as bytes. */
  snapshot () {
    return call(() => handleOf(this).snapshot())
  }

  /** The next committed change sets after a cursor; 0 is the start. */
  feed (after, limit) {
    return read(call(() => handleOf(this).feed(integer(after, 'after', 0), count(limit, 'limit'))))
  }

  /** Everything up to the cursor was dealt with and may go. */
  ack (cursor) {
    call(() => handleOf(this).ack(integer(cursor, 'cursor', 0, INTEGER_MAX)))
  }

  /** Puts new rules in force and says how they differ. */
  replaceRules (rules) {
    return read(call(() => handleOf(this).replaceRules(handle(rules, 'rules', Rules))))
  }

  /** Everything stored about one player. */
  exportPlayer (player) {
    return read(call(() => handleOf(this).exportPlayer(text(player, 'player'))))
  }

  /** Counts since the engine was made, by stable names. */
  stats () {
    return read(call(() => handleOf(this).stats()))
  }

  /** How much is stored. */
  size () {
    return read(call(() => handleOf(this).size()))
  }
}

/** How many committed change sets may wait to be acknowledged. */
function feedOf (opts) {
  const { feed } = options(opts, ['feed'])
  return feed === undefined ? undefined : count(feed, 'feed', 1)
}

/** A board of an engine, for reading. Reads answer for the period that is current at the time given. */
class Board {
  #engine
  #name

  constructor (engine, name) {
    if (!(engine instanceof native.Engine)) throw argumentError(TypeError, 'a Board comes from Engine.board')
    this.#engine = engine
    this.#name = name
  }

  get name () {
    return this.#name
  }

  /** The best `limit`. */
  top (window, limit, opts) {
    return this.page(window, 0, limit, opts)
  }

  /** `offset..offset + limit`, best first, of a window's current period, of one so many `earlier`, or of a period. */
  page (window, offset, limit, opts) {
    const given = options(opts, ['earlier', ...TIME])
    const stretch = { offset: count(offset, 'offset'), limit: count(limit, 'limit') }
    const engine = this.#engine
    if (typeof window === 'object') {
      const period = periodOf(window)
      return read(call(() => engine.boardPageOf(this.#name, period.window, period.index, stretch)))
    }
    const earlier = given.earlier === undefined ? 0 : count(given.earlier, 'earlier')
    const time = now(given)
    return read(call(() => engine.boardPage(this.#name, windowName(window), stretch, earlier, time)))
  }

  /** The period that is current, or one so many `earlier`. */
  period (window, opts) {
    const given = options(opts, ['earlier', ...TIME])
    const earlier = given.earlier === undefined ? 0 : count(given.earlier, 'earlier')
    const time = now(given)
    return read(call(() => this.#engine.boardPeriod(this.#name, windowName(window), earlier, time)))
  }

  /** A player's rank from 1; null for one who is not on the board. */
  rank (window, player, opts) {
    const time = now(options(opts, TIME))
    return call(() => this.#engine.boardRank(this.#name, windowName(window), text(player, 'player'), time)) ?? null
  }

  /** A player's row with up to `eachSide` rows above and below. */
  around (window, player, eachSide, opts) {
    const time = now(options(opts, TIME))
    const side = count(eachSide, 'eachSide')
    return read(call(() => this.#engine.boardAround(this.#name, windowName(window), text(player, 'player'), side, time)))
  }

  /** Rows of some players, best first, with their ranks on the whole board. */
  byOwners (window, players, opts) {
    const time = now(options(opts, TIME))
    const names = list(players, 'players').map((player) => text(player, 'a player'))
    return read(call(() => this.#engine.boardByOwners(this.#name, windowName(window), names, time)))
  }

  /** How many are strictly better than a score. */
  countAbove (window, score, opts) {
    const time = now(options(opts, TIME))
    return call(() => this.#engine.boardCountAbove(this.#name, windowName(window), integer(score, 'score'), time))
  }

  /** How many stand on the board. */
  len (window, opts) {
    const time = now(options(opts, TIME))
    return call(() => this.#engine.boardLen(this.#name, windowName(window), time))
  }
}

module.exports = { Engine, Board }
