'use strict'
// Commands: events that an Intake admitted, and what an operator orders.

const { digest, flag, instant, integer, now, required, text, word, INTEGER_MAX, TIME } = require('./arguments.js')
const { LevelCurve } = require('./curve.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { receiptRef } = require('./receipt.js')

const ORDER = ['id', 'player', 'ts', ...TIME]

/** Something one player's state is asked to take in, once. */
class Command {
  constructor () {
    throw argumentError(TypeError, 'a Command comes from Intake.admit or from Command.adjust, review, setVisibility, erase, claim, revoke, migrate')
  }

  /** Support's correction of a player's XP total. */
  static adjust (order) {
    const given = required(order, [...ORDER, 'xp', 'reason'], 'order')
    const xp = integer(given.xp, 'xp')
    const reason = text(given.reason, 'reason')
    return make(() => native.Command.adjust(orderOf(given), xp, reason))
  }

  /** Settles a suspicion by its number: `release` or `confirm`. */
  static review (order) {
    const given = required(order, [...ORDER, 'suspicion', 'ruling'], 'order')
    const suspicion = integer(given.suspicion, 'suspicion', 0, INTEGER_MAX)
    const ruling = word(given.ruling, 'ruling', ['release', 'confirm'])
    return make(() => native.Command.review(orderOf(given), suspicion, ruling === 'release'))
  }

  /** Takes a player off every board, or shows them again. */
  static setVisibility (order) {
    const given = required(order, [...ORDER, 'hidden'], 'order')
    const hidden = flag(given.hidden, 'hidden')
    return make(() => native.Command.setVisibility(orderOf(given), hidden))
  }

  /** Forgets a player. */
  static erase (order) {
    const given = required(order, ORDER, 'order')
    return make(() => native.Command.erase(orderOf(given)))
  }

  /** Gives a player what a receipt says can be claimed. The id follows from receipt and time. */
  static claim (claim) {
    const given = required(claim, ['player', 'receipt', ...TIME], 'claim')
    const args = [text(given.player, 'player'), receiptRef(given.receipt), now(given)]
    return make(() => native.Command.claim(...args))
  }

  /** Takes back what a receipt gave. */
  static revoke (order) {
    const given = required(order, [...ORDER, 'receipt', 'reason'], 'order')
    const args = [receiptRef(given.receipt), text(given.reason, 'reason')]
    return make(() => native.Command.revoke(orderOf(given), ...args))
  }

  /** Brings a player to the curve of the rules in force. The id follows from curve, time and version. */
  static migrate (migration) {
    const given = required(migration, ['player', 'curve', 'version', ...TIME], 'migration')
    const curve = given.curve instanceof LevelCurve ? given.curve.hash : digest(given.curve, 'curve')
    const args = [text(given.player, 'player'), curve, integer(given.version, 'version', 0, INTEGER_MAX), now(given)]
    return make(() => native.Command.migrate(...args))
  }

  get id () {
    return described(this).id
  }

  get playerId () {
    return described(this).playerId
  }

  toJSON () {
    return described(this)
  }
}

const described = (command) => read(handleOf(command, Command).describe())

/** A Command of ours around one of the addon's. */
const make = (work) => hold(Object.create(Command.prototype), call(work))

/** Who orders, of whom, and when. `ts` is when it was ordered, the same in every retry; it is now unless given. */
function orderOf (given) {
  const millis = now(given)
  return {
    id: text(given.id, 'id'),
    player: text(given.player, 'player'),
    ts: Object.hasOwn(given, 'ts') ? instant(given.ts, 'ts') : millis,
    now: millis
  }
}

module.exports = { Command, makeCommand: make }
