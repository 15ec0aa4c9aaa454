'use strict'
// Loot tables: published odds that are exact, and rolls that anyone can check once the seed is revealed.

const { count, digest, integer, json, list, object, options, required, seed, text } = require('./arguments.js')
const { call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { partOf } = require('./part.js')

const ROLL = ['seed', 'table', 'player', 'nonce', 'misses']

/** A weighted table. A roll gives one entry's items and all the guaranteed ones. */
class Loot {
  constructor (opts) {
    const { entries, guaranteed, pity } = required(opts, ['entries', 'guaranteed', 'pity'], 'options')
    const args = [list(entries, 'entries').map(entryOf), itemsOf(guaranteed, 'guaranteed'), pity === undefined ? undefined : pityOf(pity)]
    hold(this, call(() => new native.Loot(...args)))
  }

  /** As a table of `loot` in a rules document has it. Throws a RulesError. */
  static fromRules (document) {
    const table = object(document, 'document')
    return makeLoot(() => partOf({ loot: { table } }, 'document').loot('table'))
  }

  /** The `nonce`-th roll of a player on the table of this name: `{ entry, nonce, missesAfter }`. */
  roll (opts) {
    const { seed: secret, ...which } = rollOf(required(opts, ROLL, 'options'))
    return read(call(() => handleOf(this, Loot).roll(secret, which)))
  }

  /** Whether the seed is the one committed to, and gives this very roll. */
  verifyRoll (opts) {
    const { commitment, roll, ...rest } = required(opts, ['seed', 'commitment', 'table', 'player', 'misses', 'roll'], 'options')
    const { entry, nonce, missesAfter } = required(roll, ['entry', 'nonce', 'missesAfter'], 'roll')
    const { seed: secret, ...which } = rollOf({ __proto__: null, ...rest, nonce })
    const args = [digest(commitment, 'commitment'), which, text(entry, 'entry'), count(missesAfter, 'missesAfter')]
    return call(() => handleOf(this, Loot).verifyRoll(secret, ...args))
  }

  /** Whether the seed is the one committed to, and the receipt's roll is one of this table that gives what the receipt gives. */
  verifyReceipt (opts) {
    const { seed: secret, commitment, player, receipt } = required(opts, ['seed', 'commitment', 'player', 'receipt'], 'options')
    const args = [seed(secret, 'seed'), digest(commitment, 'commitment'), text(player, 'player'), json([object(receipt, 'receipt')], 'receipt')]
    return call(() => handleOf(this, Loot).verifyReceipt(...args))
  }

  /** The odds of every entry, in order of names: in a roll that pity does not decide, and over many rolls, pity's included. */
  odds () {
    return read(call(() => handleOf(this, Loot).odds()))
  }

  /** How many rolls until an entry comes, on average, as a decimal text; null if it never does. */
  expectedRolls (entry) {
    return handleOf(this, Loot).expectedRolls(text(entry, 'entry')) ?? null
  }

  /** What an entry gives, guaranteed items first; null if there is no such entry. */
  items (entry) {
    return read(call(() => handleOf(this, Loot).items(text(entry, 'entry'))))
  }

  /** The entries, in order of names. */
  get entries () {
    return read(handleOf(this, Loot).describe()).entries
  }

  /** What every roll gives. */
  get guaranteed () {
    return read(handleOf(this, Loot).describe()).guaranteed
  }

  /** When luck is helped along; null if never. */
  get pity () {
    return read(handleOf(this, Loot).describe()).pity
  }
}

const makeLoot = (work) => hold(Object.create(Loot.prototype), call(work))

function entryOf (entry) {
  const { name, weight, items } = required(entry, ['name', 'weight', 'items'], 'an entry')
  return { name: text(name, 'name'), weight: integer(weight, 'weight', 1), items: itemsOf(items, 'items') }
}

function itemsOf (items, name) {
  if (items === undefined) return []
  return list(items, name).map((item) => {
    const { kind, id, amount } = required(item, ['kind', 'id', 'amount'], 'an item')
    return { kind: text(kind, 'kind'), id: text(id, 'id'), amount: integer(amount, 'amount', 1) }
  })
}

function pityOf (pity) {
  const { entry, guaranteedAt } = options(pity, ['entry', 'guaranteedAt'], 'pity')
  return { entry: text(entry, 'entry'), guaranteedAt: count(guaranteedAt, 'guaranteedAt', 1) }
}

function rollOf ({ seed: secret, table, player, nonce, misses }) {
  return {
    seed: seed(secret, 'seed'),
    table: text(table, 'table'),
    player: text(player, 'player'),
    nonce: integer(nonce, 'nonce', 0),
    misses: misses === undefined ? 0 : count(misses, 'misses')
  }
}

/** What to publish before the first roll: the seed's hash. */
function seedCommitment (secret) {
  const given = seed(secret, 'seed')
  return call(() => native.seedCommitment(given))
}

module.exports = { Loot, makeLoot, seedCommitment }
