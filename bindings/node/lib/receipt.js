'use strict'
// Receipts: named, checked and signed.

const { isArrayBuffer, isUint8Array } = require('node:util').types
const { count, digest, integer, json, kindOf, list, members, now, object, options, received, required, text, TIME } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { native } = require('./native.js')
const { ringOf } = require('./signing.js')

/** The id of a reward: the same whenever and however often it is computed. */
function receiptId (reward) {
  const given = required(reward, ['game', 'player', 'reward', 'scope', 'index'], 'reward')
  const index = given.index === undefined ? 0 : count(given.index, 'index')
  const scope = json(object(given.scope, 'scope'), 'scope').toString()
  const args = [text(given.game, 'game'), text(given.player, 'player'), text(given.reward, 'reward'), scope, index]
  return call(() => native.receiptId(...args))
}

/** What the next receipt points back to. */
function receiptHash (receipt) {
  const content = contentOf(receipt)
  return call(() => native.receiptHash(content))
}

/** Where a receipt stands at a time: what was not claimed in time has expired. */
function receiptState (receipt, opts) {
  const time = now(options(opts, TIME))
  const content = contentOf(receipt)
  return read(call(() => native.receiptState(content, time)))
}

/** Checks receipts, oldest first, against the hash of the newest: null, or the number of the last one before the break. */
function verifyChain (receipts, head) {
  const content = listOf(receipts)
  const hash = digest(head, 'head')
  return call(() => native.verifyChain(content, hash)) ?? null
}

/** Signs a receipt with the key that was the newest at the receipt's own time. */
function signReceipt (keys, receipt) {
  const [ring, content] = [call(() => ringOf(keys)), contentOf(receipt)]
  return call(() => native.signReceipt(ring, content))
}

/** Checks a receipt's signature: `{ keyId }`, or a SignatureError. */
function verifyReceipt (keys, receipt, signature) {
  const [ring, content, written] = [call(() => ringOf(keys)), contentOf(receipt), text(signature, 'signature')]
  return Object.freeze({ keyId: call(() => native.verifyReceipt(ring, content, written)) })
}

const contentOf = (receipt) => json([object(receipt, 'receipt')], 'receipt')

function listOf (receipts) {
  if (Array.isArray(receipts)) return json(list(receipts, 'receipts'), 'receipts')
  if (typeof receipts === 'string' || isUint8Array(receipts) || isArrayBuffer(receipts)) return received(receipts, 'receipts')
  throw argumentError(TypeError, `receipts must be an array of receipts, or their JSON, not ${kindOf(receipts)}`)
}

/** Which receipt is meant: one as it is read, or its number and id. */
function receiptRef (receipt) {
  const { number, id } = members(receipt, ['number', 'id'], 'receipt')
  return { number: integer(number, 'number', 0), id: digest(id, 'id') }
}

module.exports = { receiptHash, receiptId, receiptRef, receiptState, signReceipt, verifyChain, verifyReceipt }
