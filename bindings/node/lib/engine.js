'use strict'
// The engine: rules and a store in memory.

const { bytes, count, flag, handle, instant, integer, list, now, options, received, text, INTEGER_MAX, TIME } = require('./arguments.js')
const { Archive, Names } = require('./archive.js')
const { Command, makeCommand } = require('./command.js')
const { Board } = require('./engine_board.js')
const { call } = require('./errors.js')
const { read } = require('./json.js')
const { close, dispose, handleOf, heldBy, hold, native } = require('./native.js')
const { Outcome, Outcomes } = require('./outcome.js')
const { Payout } = require('./payout.js')
const { Rules, taken } = require('./rules.js')
const { readingOf } = require('./when.js')

/** Decides events and operators' commands, each exactly once. */
class Engine {
  constructor (rules, opts) {
    const given = handle(rules, 'rules', Rules)
    const feed = feedOf(options(opts, ['feed']))
    hold(this, call(() => new native.Engine(given, feed)))
  }

  /** An engine in the state of a snapshot; with `at`, the present, brought back from an advance too far. */
  static restore (rules, snapshot, opts) {
    const given = handle(rules, 'rules', Rules)
    const content = bytes(snapshot, 'snapshot')
    const chosen = options(opts, ['feed', 'at'])
    const feed = feedOf(chosen)
    const time = chosen.at === undefined ? undefined : instant(chosen.at, 'at')
    return hold(Object.create(Engine.prototype), call(() => native.Engine.restore(given, content, feed, time)))
  }

  /** Takes an event that an Intake admitted, or a command. Never throws for a refusal; `unwrap()` does. */
  submit (command) {
    const given = handle(command, 'command', Command)
    return new Outcome(JSON.parse(call(() => handleOf(this, Engine).submit(given))))
  }

  /** The same as a promise, whatever the store. */
  async submitAsync (command) {
    return this.submit(command)
  }

  /** Takes a batch. A row that is no Command is refused by itself as `invalid_argument`. */
  submitBatch (commands) {
    const rows = list(commands, 'commands').map((row) => row instanceof Command ? heldBy(row) ?? null : null)
    return new Outcomes(call(() => handleOf(this, Engine).submitBatch(rows)))
  }

  /** Takes lines of JSON, one event each, from a source that is trusted: no signature is asked for. */
  submitNdjson (lines, opts) {
    const time = now(options(opts, TIME))
    return new Outcomes(call(() => handleOf(this, Engine).submitNdjson(received(lines, 'lines'), time)))
  }

  /** One player; null for a stranger. */
  player (player) {
    return read(call(() => handleOf(this, Engine).player(text(player, 'player'))))
  }

  /** A player's kept receipts, oldest first. */
  receipts (player) {
    return read(call(() => handleOf(this, Engine).receipts(text(player, 'player'))))
  }

  /** A player's receipts that can be claimed now, oldest first: also those that are kept for that alone. */
  claimable (player, opts) {
    const args = [text(player, 'player'), now(options(opts, TIME))]
    return read(call(() => handleOf(this, Engine).claimable(...args)))
  }

  /** The hash of a player's newest receipt: what `verifyChain` checks against. */
  chainHead (player) {
    return call(() => handleOf(this, Engine).chainHead(text(player, 'player')))
  }

  /** Why a player has this XP, this level and these rewards, line by line; null for a stranger. */
  explain (player, opts) {
    const args = [text(player, 'player'), now(options(opts, TIME))]
    return read(call(() => handleOf(this, Engine).explain(...args)))
  }

  /** Everybody's kept suspicions as lines of JSON, each verdict also in words. */
  suspicionsNdjson () {
    return call(() => handleOf(this, Engine).suspicionsNdjson())
  }

  /** A player's kept suspicions, oldest first; everybody's if none is named. */
  suspicions (...player) {
    const named = player.length === 0 ? undefined : text(player[0], 'player')
    return read(call(() => handleOf(this, Engine).suspicions(named)))
  }

  /** A board, for reading. */
  board (name) {
    const board = text(name, 'board')
    call(() => handleOf(this, Engine).hasBoard(board))
    return new Board(this, board)
  }

  /**
   * Moves the horizon, never back; closes periods and frees what is too old to matter. To be called now and then. A jump of more than 31
   * days, or a time in another unit, is refused, unless `far: true` says that it is meant.
   */
  advance (opts) {
    const given = options(opts, [...TIME, 'far'])
    const far = given.far !== undefined && flag(given.far, 'far')
    const time = now(given)
    return read(call(() => handleOf(this, Engine).advance(time, far)))
  }

  /** Periods that close in `after < t <= through`, once and in order, made as they are taken. */
  closedBetween (after, through) {
    const [from, until] = [instant(after, 'after'), instant(through, 'through')]
    return taken(call(() => handleOf(this, Engine).rules().calendar().closings(undefined, from, until)))
  }

  /** Who gets what for a finished period of a board, and the commands that give it. */
  payout (board, window, opts) {
    const args = [text(board, 'board'), readingOf(window, opts)]
    return new Payout(call(() => handleOf(this, Engine).payout(...args)))
  }

  /** The same from an archive, under the tiers of now: for a period that is no longer kept. */
  payoutArchived (archive, names, opts) {
    const args = [handle(archive, 'archive', Archive), handle(names, 'names', Names), now(options(opts, TIME))]
    return new Payout(call(() => handleOf(this, Engine).payoutArchived(...args)))
  }

  /** Pays every board that closed since a mark, and says the next mark; without one from the oldest period that is kept on. */
  payClosed (mark, opts) {
    const since = mark === undefined || mark === null ? undefined : instant(mark, 'mark')
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this, Engine).payClosed(since, time)))
  }

  /** Names the whole state: two engines with one digest hold the same, to the last bit. */
  digest () {
    return call(() => handleOf(this, Engine).digest())
  }

  /** The whole state as bytes. */
  snapshot () {
    return call(() => handleOf(this, Engine).snapshot())
  }

  /** The next committed change sets after a cursor; 0 is the start. */
  feed (after, limit) {
    return read(call(() => handleOf(this, Engine).feed(integer(after, 'after', 0), count(limit, 'limit'))))
  }

  /** Everything up to the cursor was dealt with and may go. */
  ack (cursor) {
    call(() => handleOf(this, Engine).ack(integer(cursor, 'cursor', 0, INTEGER_MAX)))
  }

  /**
   * Puts new rules in force and says how they differ. With a time, offsets and seasons still to come may change too. The seed for loot
   * stays, unless the new rules have one of their own.
   */
  replaceRules (rules, opts) {
    const given = options(opts, TIME)
    const time = TIME.some((name) => Object.hasOwn(given, name)) ? now(given) : undefined
    const next = handle(rules, 'rules', Rules)
    return read(call(() => handleOf(this, Engine).replaceRules(next, time)))
  }

  /** What new rules would make of the players of now: who rises and falls, and what would be minted. Changes nothing. */
  planMigration (rules) {
    const next = handle(rules, 'rules', Rules)
    return read(call(() => handleOf(this, Engine).planMigration(next)))
  }

  /** One command for each player who is still on another curve: to be submitted until there are none. */
  migrations (opts) {
    const time = now(options(opts, TIME))
    return call(() => handleOf(this, Engine).migrations(time)).map((command) => makeCommand(() => command))
  }

  /** Everything stored about one player. */
  exportPlayer (player) {
    return read(call(() => handleOf(this, Engine).exportPlayer(text(player, 'player'))))
  }

  /** Counts since the engine was made, by stable names. */
  stats () {
    return read(call(() => handleOf(this, Engine).stats()))
  }

  /** How much is stored. */
  size () {
    return read(call(() => handleOf(this, Engine).size()))
  }

  /** Lets go of the whole state now; whatever is called later throws `closed`. Once more is nothing. */
  close () {
    close(this, Engine)
  }

  /** The same, for `using`. */
  [dispose] () {
    close(this, Engine)
  }
}

/** How many committed change sets may wait to be acknowledged. */
function feedOf ({ feed }) {
  return feed === undefined ? undefined : count(feed, 'feed', 1)
}

module.exports = { Engine }
