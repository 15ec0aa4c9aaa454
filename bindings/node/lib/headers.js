'use strict'
// The headers that matter, out of whatever form a server has them in.

const { kindOf, text, LIST_LEN_MAX } = require('./arguments.js')
const { argumentError } = require('./errors.js')

const KNOWN = new Set([
  'webhook-id', 'webhook-timestamp', 'webhook-signature', 'webhook-key-id', 'x-signature', 'x-timestamp', 'idempotency-key',
  'x-request-id'
])

/** Names and values in turn. A header that came twice is there twice: which one counts is not for us to choose. */
function headerList (headers) {
  if (typeof headers !== 'object' || headers === null) {
    throw argumentError(TypeError, `headers must be an object, Headers, a Map or pairs, not ${kindOf(headers)}`)
  }
  const flat = []
  if (typeof headers[Symbol.iterator] !== 'function') {
    for (const name of Object.keys(headers)) add(flat, name, headers[name])
    return flat
  }
  let pairs = 0
  for (const pair of headers) {
    if (++pairs > LIST_LEN_MAX) throw argumentError(RangeError, `headers must be at most ${LIST_LEN_MAX} pairs`, 'too_long')
    if (!Array.isArray(pair) || pair.length !== 2) throw argumentError(TypeError, 'each header must be a pair [name, value]')
    add(flat, pair[0], pair[1])
  }
  return flat
}

function add (flat, name, value) {
  if (typeof name !== 'string') throw argumentError(TypeError, `a header's name must be a string, not ${kindOf(name)}`)
  if (!KNOWN.has(name.toLowerCase()) || value === undefined) return
  for (const one of Array.isArray(value) ? value : [value]) flat.push(text(name, 'a header\'s name'), text(one, `header ${name.toLowerCase()}`))
}

module.exports = { headerList }
