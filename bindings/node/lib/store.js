'use strict'
// Where an engine keeps its state: said here, opened by the engine.

const { fileURLToPath } = require('node:url')
const { all, bytes, count, flag, instant, integer, kindOf, number, options, text, word } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { heldBy, hold, native } = require('./native.js')
const { verbs } = require('./verbs.js')

/** Longest that anybody waits, in seconds. */
const SECONDS_MAX = 86_400
const U16_MAX = 65_535

/** What the addon is told, by store. */
const descriptions = new WeakMap()

/** In memory: gone with the process. */
class MemoryStore {
  constructor (opts) {
    const { feed, snapshot, at } = options(opts, ['feed', 'snapshot', 'at'])
    if (at !== undefined && snapshot === undefined) throw argumentError(TypeError, 'at goes with a snapshot')
    descriptions.set(this, {
      store: { feed: feed === undefined ? 0 : count(feed, 'feed') },
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
        feed: feed === undefined ? undefined : count(feed, 'feed'),
        file: {
          path: pathOf(path),
          normal: level === 'normal',
          waitMillis: waitSeconds === undefined ? 0 : millisOf(waitSeconds, 'waitSeconds'),
          allowNetworkFileSystem: allowNetworkFileSystem !== undefined && flag(allowNetworkFileSystem, 'allowNetworkFileSystem')
        }
      }
    })
  }

  /** Where the file is. */
  get path () {
    return descriptionOf(this, SqliteStore).store.file.path
  }
}

/** In Redis, or in a cluster of it, shared by any number of processes. */
class RedisStore {
  constructor (url, opts) {
    const own = ['partitions', 'replicas', 'allowNoPersistence']
    const given = options(opts, [...own, ...FAR])
    const { partitions, replicas, allowNoPersistence } = given
    const urls = Array.isArray(url) ? all(url, 'url').map((one) => text(one, 'url')) : [text(url, 'url')]
    const redis = {
      partitions: partitions === undefined ? 64 : integer(partitions, 'partitions', 1, U16_MAX),
      replicas: replicas === undefined ? 0 : integer(replicas, 'replicas', 0, U16_MAX),
      allowNoPersistence: allowNoPersistence !== undefined && flag(allowNoPersistence, 'allowNoPersistence')
    }
    descriptions.set(this, { store: farOf(given, 4_096, { urls, cluster: Array.isArray(url), redis }) })
  }
}

/** In a PostgreSQL database, shared by any number of processes. */
class PostgresStore {
  constructor (url, opts) {
    const own = ['connections', 'horizonCopies', 'events']
    const given = options(opts, [...own, ...FAR])
    const { connections, horizonCopies, events } = given
    const postgres = {
      connections: connections === undefined ? 8 : count(connections, 'connections', 1),
      horizonCopies: horizonCopies === undefined ? 8 : integer(horizonCopies, 'horizonCopies', 1, U16_MAX),
      events: events !== undefined && flag(events, 'events')
    }
    descriptions.set(this, { store: farOf(given, 262_144, { urls: [text(url, 'url')], cluster: false, postgres }) })
  }
}

/** Options of both. */
const FAR = ['timeoutSeconds', 'outboxEntries', 'feed', 'tlsCa', 'tlsCertificate', 'tlsKey', 'clockAheadSeconds']

/** What the addon is told of a store over a network. */
function farOf ({ timeoutSeconds, outboxEntries, feed, clockAheadSeconds, ...tls }, outboxLen, server) {
  const pem = (name) => tls[name] === undefined ? undefined : Buffer.from(bytes(tls[name], name))
  const far = {
    ...server,
    timeoutMillis: timeoutSeconds === undefined ? 2_000 : millisOf(timeoutSeconds, 'timeoutSeconds', 0.001),
    outboxEntries: outboxEntries === undefined ? outboxLen : count(outboxEntries, 'outboxEntries', 1),
    tlsCa: pem('tlsCa'),
    tlsCertificate: pem('tlsCertificate'),
    tlsKey: pem('tlsKey')
  }
  if ((far.tlsCertificate === undefined) !== (far.tlsKey === undefined)) throw argumentError(TypeError, 'tlsCertificate goes with tlsKey')
  // Null: the server's clock is not asked.
  if (clockAheadSeconds !== null) far.clockAheadMillis = clockAheadSeconds === undefined ? 60_000 : millisOf(clockAheadSeconds, 'clockAheadSeconds')
  return { feed: feed === undefined ? undefined : count(feed, 'feed'), far }
}

for (const Class of [RedisStore, PostgresStore]) {
  verbs(Class, (store) => engineOf(store, Class), {
    // What the clock of the server says, in milliseconds.
    now: [() => [], (millis) => millis, 'storeNow']
  })
}

verbs(SqliteStore, (store) => engineOf(store, SqliteStore), {
  // How the file is doing.
  status: [() => [], read, 'fileStatus'],
  // Reads all of it; throws `store_corrupt` for what is damaged.
  verify: [() => [], () => undefined],
  // Writes a copy that is whole, while others read and write.
  backup: [(path) => [pathOf(path)], () => undefined]
})

const pathOf = (path) => path instanceof URL ? fileURLToPath(path) : text(path, 'path')

function millisOf (seconds, name, least = 0) {
  const wait = number(seconds, name)
  if (wait >= least && wait <= SECONDS_MAX) return Math.ceil(wait * 1000)
  throw argumentError(RangeError, `${name} must be ${least} to ${SECONDS_MAX}`, 'out_of_range')
}

function descriptionOf (store, Class) {
  const description = store instanceof Class ? descriptions.get(store) : undefined
  if (description === undefined) throw argumentError(TypeError, `this must be of class ${Class.name}, made by it`)
  return description
}

/** The engine of the addon that opened the store last; throws `closed` before there is one. */
function engineOf (store, Class) {
  descriptionOf(store, Class)
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
  if (description === undefined) throw argumentError(TypeError, `store must be of class MemoryStore, SqliteStore, RedisStore or PostgresStore, not ${kindOf(store)}`)
  if (feed !== undefined) throw argumentError(TypeError, 'with a store, feed is an option of the store')
  if (snapshot === undefined) return { opened: store, ...description }
  if (description.snapshot !== undefined) throw argumentError(TypeError, 'give the snapshot once: to the store, or here')
  return { opened: store, ...descriptions.get(memory), store: description.store }
}

/** Puts the engine behind the store that it opened. */
function opened (store, engine) {
  if (!(store instanceof MemoryStore)) hold(store, engine)
}

module.exports = { MemoryStore, PostgresStore, RedisStore, SqliteStore, opened, storeOf }
