'use strict'
// Every argument is checked here before the addon sees it: Node-API turns NaN into 0, 1.9 into 1 and a lone surrogate
// into U+FFFD without a word.

const { isArrayBuffer, isBigInt64Array, isFloat64Array, isSharedArrayBuffer, isUint32Array, isUint8Array } = require('node:util').types
const { argumentError } = require('./errors.js')
const { heldBy } = require('./native.js')

const INTEGER_MAX = Number.MAX_SAFE_INTEGER
const U32_MAX = 2 ** 32 - 1
/** Most values of one list, in values; memory of numbers may be longer. `LIST_LEN_MAX` of the core. */
const LIST_LEN_MAX = 10_000_000

/** A whole number in min..=max, given as a number or a BigInt. */
function integer (value, name, min = -INTEGER_MAX, max = INTEGER_MAX) {
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value))) {
    throw argumentError(TypeError, `${name} must be a whole number, not ${kindOf(value)}`)
  }
  if (value < min || value > max) throw argumentError(RangeError, `${name} must be ${min} to ${max}`, 'out_of_range')
  return Number(value)
}

/** A whole number of 32 bits. */
const count = (value, name, min = 0) => integer(value, name, min, U32_MAX)

/** A number of any kind: what it may be is said by whoever takes it. */
function number (value, name) {
  if (typeof value === 'number') return value
  throw argumentError(TypeError, `${name} must be a number, not ${kindOf(value)}`)
}

/** A text without lone surrogates, which UTF-8 cannot say. */
function text (value, name) {
  if (typeof value !== 'string') throw argumentError(TypeError, `${name} must be a string, not ${kindOf(value)}`)
  if (!value.isWellFormed()) throw argumentError(TypeError, `${name} has a lone surrogate`)
  return value
}

/** A decimal or a fraction as text: 1.2 has no exact binary form. */
function decimal (value, name) {
  if (typeof value === 'string') return text(value, name)
  const written = String(value)
  const hint = typeof value !== 'number' ? '' : /^-?\d+(\.\d{1,9})?$/.test(written) ? `; write '${written}'` : '; write \'1.2\' or \'4/3\''
  throw argumentError(TypeError, `${name} must be a string such as '1.2', not ${kindOf(value)}${hint}`)
}

/** A hash as 64 hex digits. */
function digest (value, name) {
  if (/^[0-9a-f]{64}$/.test(text(value, name))) return value
  throw argumentError(RangeError, `${name} must be 64 hex digits, in small letters`)
}

/** A seed for loot. */
function seed (value, name) {
  if (isUint8Array(value) && value.length === 32) return bytes(value, name)
  throw argumentError(isUint8Array(value) ? RangeError : TypeError, `${name} must be a Uint8Array of 32 bytes`)
}

/** One of several words. */
function word (value, name, words, unknown) {
  if (words.includes(value)) return value
  const message = `${name} must be ${words.map((known) => `'${known}'`).join(' or ')}`
  throw typeof value === 'string' ? argumentError(RangeError, message, unknown) : argumentError(TypeError, message)
}

function flag (value, name) {
  if (typeof value === 'boolean') return value
  throw argumentError(TypeError, `${name} must be true or false, not ${kindOf(value)}`)
}

/** Bytes, or a text's UTF-8. */
function bytes (value, name) {
  if (typeof value === 'string') return Buffer.from(text(value, name), 'utf8')
  if (!isUint8Array(value)) {
    throw argumentError(TypeError, `${name} must be a Uint8Array or a string, not ${kindOf(value)}`)
  }
  // One whose memory was taken away looks empty.
  if (value.length === 0) viewOf(value.buffer, name)
  // Another thread could write into shared memory while it is read.
  return isSharedArrayBuffer(value.buffer) ? Uint8Array.from(value) : value
}

/** The same of what came over a network, which `fetch` gives as an ArrayBuffer. */
const received = (value, name) => isArrayBuffer(value) ? viewOf(value, name) : bytes(value, name)

function viewOf (buffer, name) {
  try {
    return new Uint8Array(buffer)
  } catch {
    throw argumentError(TypeError, `${name} has no memory: it was transferred`)
  }
}

const COLUMNS = { BigInt64Array: isBigInt64Array, Float64Array: isFloat64Array, Uint32Array: isUint32Array }

/** A typed array of one of some classes, in its own memory: nothing is copied unless another thread could write into it. */
function column (value, name, ...classes) {
  if (!classes.some((known) => COLUMNS[known](value))) throw argumentError(TypeError, `${name} must be a ${classes.join(' or ')}, not ${kindOf(value)}`)
  if (value.length === 0) viewOf(value.buffer, name)
  return isSharedArrayBuffer(value.buffer) ? value.slice() : value
}

/** A body as it was received: a parsed one has lost the bytes that were signed. */
function body (value) {
  if (typeof value === 'string' || isUint8Array(value) || isArrayBuffer(value)) return received(value, 'body')
  throw argumentError(TypeError, `body must be the raw bytes (Uint8Array or ArrayBuffer) or text that came in, not ${kindOf(value)}`)
}

/** An object with whatever members. */
function object (value, name) {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw argumentError(TypeError, `${name} must be an object, not ${kindOf(value)}`)
}

/**
 * The members of a plain object, which all have to be known: a misspelt option is not an option left out. Only its own: what anything
 * in the process puts on `Object.prototype` is no option. An instance of a class hides what it has, and is refused.
 */
function options (value, known, name = 'options') {
  if (value === undefined) return Object.create(null)
  if (!isPlain(object(value, name))) throw argumentError(TypeError, `${name} must be a plain object, not an instance of a class`)
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw argumentError(TypeError, `${name} has no member ${JSON.stringify(key)}; it knows ${known.join(', ')}`)
  }
  return members(value, known, name)
}

/** Some members of an object, its own ones, read once; it may have others. */
function members (value, names, name) {
  const own = Object.create(null)
  for (const key of names) if (Object.hasOwn(object(value, name), key)) own[key] = value[key]
  return own
}

/** Of no class but Object, also that of another realm, such as a test runner makes. */
function isPlain (value) {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** What an instance of a class that shows its settings was made of; anything else as it is. */
const settingsOf = (value, Class) => value instanceof Class ? { ...value } : value

/** Options that must be given. */
function required (value, known, name) {
  return options(object(value, name), known, name)
}

/** A time as whole Unix milliseconds or a Date. */
function instant (value, name) {
  if (!(value instanceof Date)) return integer(value, name)
  const millis = value.getTime()
  if (Number.isNaN(millis)) throw argumentError(TypeError, `${name} is an invalid Date`)
  return millis
}

/** What `horizon().now` is until the engine is advanced: before everything. */
const BEGINNING = -(2 ** 63)

/** The same as `instant`, or the beginning. */
const since = (value, name) => value === BEGINNING ? BEGINNING : instant(value, name)

/** `nowMs` or `now`; else what the clock says. One that is there and undefined is a mistake, not the present. */
function now (given) {
  const hasMillis = Object.hasOwn(given, 'nowMs')
  const hasDate = Object.hasOwn(given, 'now')
  if (hasMillis && hasDate) throw argumentError(TypeError, 'give nowMs or now, not both')
  if (hasMillis) return integer(given.nowMs, 'nowMs')
  if (!hasDate) return Date.now()
  if (!(given.now instanceof Date)) throw argumentError(TypeError, `now must be a Date, not ${kindOf(given.now)}; for milliseconds there is nowMs`)
  return instant(given.now, 'now')
}

const TIME = ['nowMs', 'now']

/** `atMs` or `at`: when an event was, which no clock knows. */
function at (given) {
  const hasMillis = Object.hasOwn(given, 'atMs')
  if (hasMillis === Object.hasOwn(given, 'at')) throw argumentError(TypeError, 'give atMs or at, and one of them')
  if (hasMillis) return integer(given.atMs, 'atMs')
  if (!(given.at instanceof Date)) throw argumentError(TypeError, `at must be a Date, not ${kindOf(given.at)}; for milliseconds there is atMs`)
  return instant(given.at, 'at')
}

const AT = ['atMs', 'at']

/** The native object behind an instance of one of our classes. */
function handle (value, name, Class) {
  const found = value instanceof Class ? heldBy(value) : undefined
  if (found === undefined) throw argumentError(TypeError, `${name} must be of class ${Class.name}, not ${kindOf(value)}`)
  return found
}

/** The same of another instance, to be taken in. */
function another (self, value, Class) {
  if (value === self) throw argumentError(TypeError, 'other must be another one')
  return handle(value, 'other', Class)
}

/** The values of an array, in one of ours. A hole is refused: it has no value, or what a prototype lends it. */
function list (value, name) {
  if (!Array.isArray(value)) throw argumentError(TypeError, `${name} must be an array, not ${kindOf(value)}`)
  const { length } = value
  if (length > LIST_LEN_MAX) throw tooLong(name)
  const values = []
  for (let index = 0; index < length; index++) values.push(valueAt(value, index, name))
  return values
}

/** The same of any iterable but a text. */
function all (value, name) {
  if (Array.isArray(value)) return list(value, name)
  if (typeof value !== 'object' || typeof value?.[Symbol.iterator] !== 'function') throw argumentError(TypeError, `${name} must be an array or another iterable, not ${kindOf(value)}`)
  const values = []
  for (const one of value) {
    if (values.push(one) > LIST_LEN_MAX) throw tooLong(name)
  }
  return values
}

const tooLong = (name) => argumentError(RangeError, `${name} must be at most ${LIST_LEN_MAX} values`, 'too_long')

/** A value of an array, its own. */
function valueAt (values, index, name) {
  if (Object.hasOwn(values, index)) return values[index]
  throw Object.assign(argumentError(TypeError, `${name} has a hole in it`), { index })
}

/** What is made of each value of a list. An error says by `index` which of them is at fault. */
function each (values, name, make) {
  return list(values, name).map((value, index) => {
    try {
      return make(value)
    } catch (error) {
      throw Object.assign(error, { index })
    }
  })
}

/** Two values in an array. */
function pair (value, what) {
  if (Array.isArray(value) && value.length === 2) return list(value, 'a pair')
  throw argumentError(TypeError, `${what}, not ${kindOf(value)}`)
}

/** A value as JSON in UTF-8. What JSON cannot say is refused: it would be left out, or become null, without a word. */
function json (value, name) {
  const refused = (what) => argumentError(TypeError, `${name} has ${what} in it`)
  const checked = function (key, value) {
    if (Array.isArray(this) && !Object.hasOwn(this, key)) throw refused('a hole')
    if (typeof value === 'bigint') return integer(value, `a number of ${name}`)
    if (typeof value === 'number' && !Number.isFinite(value)) throw refused(kindOf(value))
    if (typeof value === 'string') return text(value, `a text of ${name}`)
    // A member of an object that is undefined is one left out.
    if (typeof value === 'function' || typeof value === 'symbol' || (value === undefined && Array.isArray(this))) throw refused(kindOf(value))
    return value
  }
  let written
  try {
    written = JSON.stringify(value, checked)
  } catch (error) {
    if (error?.code !== undefined || !(error instanceof TypeError || error instanceof RangeError)) throw error
    throw argumentError(TypeError, `${name} cannot be written as JSON: ${error.message.split('\n')[0]}`)
  }
  if (written === undefined) throw refused(kindOf(value))
  return Buffer.from(written, 'utf8')
}

/** What something is, without its value: errors end up in logs. */
function kindOf (value) {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : Number.isFinite(value) ? 'a fraction' : String(value)
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `a ${typeof value}`
}

module.exports = {
  integer, count, number, text, decimal, digest, seed, word, flag, bytes, received, column, body, object, options, required, settingsOf, instant, since, now, at, handle, another,
  all, each, json, kindOf, list, members, pair, valueAt, AT, BEGINNING, INTEGER_MAX, LIST_LEN_MAX, TIME, U32_MAX
}
