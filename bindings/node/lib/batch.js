'use strict'
// Many values at once: three values cross, whatever the length. An error says by `index` which value is at fault.

const { integer, kindOf, list, text, valueAt } = require('./arguments.js')
const { argumentError } = require('./errors.js')

/** Owners one a line, scores and, if they are given, subscores. */
function batchOf (owners, scores, rest) {
  const names = list(owners, 'owners')
  if (rest.length > 1) throw argumentError(TypeError, 'a batch has owners, scores and subscores')
  // Undefined is what an option left out gives.
  const subscores = rest[0]
  const length = names.length
  const lines = new Array(length)
  const own = numbers(scores, 'scores', length)
  const sub = subscores === undefined ? undefined : numbers(subscores, 'subscores', length)
  const values = new Float64Array(length)
  const subvalues = sub && new Float64Array(length)
  for (let index = 0; index < length; index++) {
    try {
      const owner = text(names[index], 'an owner')
      // A line break is in no id; a space is not either, and keeps the owners apart.
      lines[index] = owner.includes('\n') ? ' ' : owner
      values[index] = whole(valueAt(own, index, 'scores'), 'a score')
      if (sub) subvalues[index] = whole(valueAt(sub, index, 'subscores'), 'a subscore')
    } catch (error) {
      throw Object.assign(error, { index })
    }
  }
  return [lines.join('\n'), values, subvalues]
}

/** Of 64 bits: the core says what it takes. */
const whole = (value, name) => Number.isSafeInteger(value) ? value : integer(value, name, -(2 ** 63), 2 ** 63)

/** An array or a typed one, as long as the owners are many. */
function numbers (value, name, length) {
  const isTyped = ArrayBuffer.isView(value) && typeof value.length === 'number'
  if (!isTyped && !Array.isArray(value)) throw argumentError(TypeError, `${name} must be an array, not ${kindOf(value)}`)
  if (value.length !== length) throw argumentError(RangeError, `${name} must be as many as owners`)
  return value
}

module.exports = { batchOf }
