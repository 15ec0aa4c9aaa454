'use strict'
// Verbs that may touch a store, which may wait for a disk or a network: each is written once, and there twice.

const { call, called } = require('./errors.js')

/**
 * Gives a class each verb of a table: done when it returns, and with `Async` behind its name as a promise. An entry says what the addon
 * is given, what is made of its answer, and what the addon calls it where that is another name; `nativeOf` is what does it.
 */
function verbs (Class, nativeOf, table) {
  for (const [name, [args, answer, native = name]] of Object.entries(table)) {
    const later = `${name}Async`
    const both = {
      [name] (...given) {
        const engine = nativeOf(this)
        const list = args.apply(this, given)
        return answer(call(() => engine[native](false, ...list)))
      },
      async [later] (...given) {
        const engine = nativeOf(this)
        const list = args.apply(this, given)
        return answer(await called(() => engine[native](true, ...list)))
      }
    }
    for (const key of [name, later]) {
      Object.defineProperty(Class.prototype, key, { value: both[key], writable: true, configurable: true })
    }
  }
}

/** Item after item of page after page. The first is asked for at once: what is wrong is said by the call. */
function walk (page) {
  return rest(page, page(null))
}

function * rest (page, { items, next }) {
  for (;;) {
    yield * items
    if (next === null) return
    ({ items, next } = page(next))
  }
}

/** The same of pages that are promises. */
async function * walkAsync (page) {
  let next = null
  do {
    const read = await page(next)
    yield * read.items
    next = read.next
  } while (next !== null)
}

module.exports = { verbs, walk, walkAsync }
