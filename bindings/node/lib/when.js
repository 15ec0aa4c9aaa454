'use strict'
// Which period a board is read in: a window's current one, one so many `earlier`, or a period by its index.

const { count, kindOf, now, options, TIME } = require('./arguments.js')
const { argumentError } = require('./errors.js')
const { periodOf, windowName } = require('./rules.js')

const WHEN = ['earlier', ...TIME]

/** In the form of the addon. The options have been checked. */
function whenOf (window, given) {
  const time = now(given)
  if (typeof window === 'string') {
    return { window: windowName(window), index: undefined, earlier: given.earlier === undefined ? 0 : count(given.earlier, 'earlier'), now: time }
  }
  if (typeof window !== 'object') throw argumentError(TypeError, `window must be a window's name or a period, not ${kindOf(window)}`)
  if (given.earlier !== undefined) throw argumentError(TypeError, 'earlier goes with a window, not with a period')
  return { ...periodOf(window), earlier: 0, now: time }
}

/** The same from options that have only these. */
const readingOf = (window, opts) => whenOf(window, options(opts, WHEN))

module.exports = { WHEN, readingOf, whenOf }
