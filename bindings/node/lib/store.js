'use strict'
// Where an engine keeps its state: said here, opened by the engine.

const { fileURLToPath } = require('node:url')
const { bytes, count, flag, instant, kindOf, number, options, text, word } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { heldBy, hold, native } = require('./native.js')
const { verbs } = require('./verbs.js')

/** Longest that anybody waits for a file, in seconds. */
const WAIT_SECONDS_MAX = 86_400

/** What the addon is told, by store. */
const descriptions = new WeakMap()

/** In memory: gone with the process. */
class MemoryStore {
  constructor (opts) {
    const { feed, snapshot, at } = options(opts, ['feed', 'snapshot', 'at'])
    if (at !== undefined && snapshot === undefined) throw argumentError(TypeError, 'at goes with a snapshot')
    descriptions.set(this, {
      store: { path: undefined, feed: feed === undefined ? 0 : count(feed, 'feed'), normal: false, waitMillis: 0, allowNetworkFileSystem: false },
      snapshot: snapshot === undefined ? undefined : bytes(snapshot, 'snapshot'),
      at: at === undefined ? undefined : instant(at, 'at')
    })
  }
}

/** In one file, which one engine at a time has open: a process that is killed goes on where it was. */
class SqliteStore {
  constructor (path, opts) {
    const { feed, sync, waitSeconds, allowNetworkFileSystem } = options(opts, ['feed', 'sync', 'waitSeconds', 'allowNetworkFileSystem'])
    const level = sync === undefined ? 'full' : word(sync, 'sync', ['full', 'normal'])
    descriptions.set(this, {
      store: {
        path: pathOf(path),
        feed: feed === undefined ? undefined : count(feed, 'feed'),
        normal: level === 'normal',
        waitMillis: waitSeconds === undefined ? 0 : millisOf(waitSeconds),
        allowNetworkFileSystem: allowNetworkFileSystem !== undefined && flag(allowNetworkFileSystem, 'allowNetworkFileSystem')
      },
      snapshot: undefined,
      at: undefined
    })
  }

  /** Where the file is. */
  get path () {
    return descriptionOf(this, SqliteStore).store.path
  }
}

verbs(SqliteStore, engineOf, {
  // How the file is doing.
  status: [() => [], read],
  // Reads all of it; throws `store_corrupt` for what is damaged.
  verify: [() => [], () => undefined],
  // Writes a copy that is whole, while others read and write.
  backup: [(path) => [pathOf(path)], () => undefined]
})

const pathOf = (path) => path instanceof URL ? fileURLToPath(path) : text(path, 'path')

function millisOf (seconds) {
  const wait = number(seconds, 'waitSeconds')
  if (wait >= 0 && wait <= WAIT_SECONDS_MAX) return Math.ceil(wait * 1000)
  throw argumentError(RangeError, `waitSeconds must be 0 to ${WAIT_SECONDS_MAX}`, 'out_of_range')
}

function descriptionOf (store, Class) {
  const description = store instanceof Class ? descriptions.get(store) : undefined
  if (description === undefined) throw argumentError(TypeError, `this must be of class ${Class.name}, made by it`)
  return description
}

/** The engine of the addon that opened the file last; throws `closed` before there is one. */
function engineOf (store) {
  descriptionOf(store, SqliteStore)
  const engine = heldBy(store)
  if (engine === undefined) call(native.throwClosed)
  return engine
}

/** The store that an engine's options name, and what the addon is told: of it, and of the state to begin in. */
function storeOf ({ store, feed, snapshot, at }) {
  const begin = Object.fromEntries(Object.entries({ feed, snapshot, at }).filter(([, value]) => value !== undefined))
  const memory = new MemoryStore(begin)
  // What is shown of it has not got the snapshot, which nobody needs once the engine is open.
  if (store === undefined) return { opened: new MemoryStore(feed === undefined ? {} : { feed }), ...descriptions.get(memory) }
  const description = descriptions.get(store)
  if (description === undefined) throw argumentError(TypeError, `store must be of class MemoryStore or SqliteStore, not ${kindOf(store)}`)
  if (feed !== undefined) throw argumentError(TypeError, 'with a store, feed is an option of the store')
  if (snapshot === undefined) return { opened: store, ...description }
  if (description.snapshot !== undefined) throw argumentError(TypeError, 'give the snapshot once: to the store, or here')
  return { opened: store, ...descriptions.get(memory), store: description.store }
}

/** Puts the engine behind the store that it opened. */
function opened (store, engine) {
  if (store instanceof SqliteStore) hold(store, engine)
}

module.exports = { MemoryStore, SqliteStore, opened, storeOf }
