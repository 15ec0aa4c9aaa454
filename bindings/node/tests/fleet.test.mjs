// A game over a network: any number of engines share it, the event loop is never held, and errors tell no secrets.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Command, Engine, PostgresStore, RedisStore, StoreError } from '../index.mjs'
import { NOW_MS, event, rules } from './game.mjs'
import { serve } from './servers.mjs'

const { native } = createRequire(import.meta.url)('../lib/native.js')

const DAY = 86_400_000
const SECRET = 'hunter2'
const at = { nowMs: NOW_MS }
const lines = (count, players = 7) => Array.from({ length: count }, (_, n) => event(`e${n}`, `p${n % players}`, 100)).join('\n')
const adjust = (n, players = 7) => Command.adjust({ id: `a${n}`, player: `p${n % players}`, xp: 1, reason: 'r', ...at })
const here = (name) => JSON.stringify(new URL(name, import.meta.url).href)

const kinds = {
  redis: { settings: ['--appendonly', 'yes'], store: (url, options) => new RedisStore(url, { partitions: 4, clockAheadSeconds: null, ...options }), code: 'new RedisStore(url, { partitions: 4, clockAheadSeconds: null })' },
  postgres: { settings: [], store: (url, options) => new PostgresStore(url, { clockAheadSeconds: null, ...options }), code: 'new PostgresStore(url, { clockAheadSeconds: null })' }
}

let games = 0

for (const [kind, { settings, store: make, code }] of Object.entries(kinds)) {
  describe(kind, () => {
    let server
    before(async () => { server = await serve(kind, ...settings) })
    after(() => server.close())

    /** A game that nobody played yet. */
    const fresh = () => rules({ game: `node-${games++}` })
    const open = (game, options) => Engine.open(game, { store: make(server.url, options) })

    test('engines share it', async () => {
      const game = fresh()
      const memory = new Engine(game)
      const [first, second] = await Promise.all([open(game), open(game)])
      for (const one of [memory, first]) {
        assert.deepEqual((await one.submitNdjsonAsync(lines(100), at)).counts(), { applied: 100 })
        await one.advanceAsync({ ...at, far: true })
      }
      assert.deepEqual((await second.submitNdjsonAsync(lines(100), at)).counts(), { replayed: 100 })
      await second.catchUpAsync()
      const boards = [memory, first, second].map((one) => [...one.board('xp').at('daily', at)])
      assert.equal(boards[0].length, 7)
      assert.deepEqual(boards[1], boards[0])
      assert.deepEqual(boards[2], boards[0])
      assert.equal(await first.digestAsync(), memory.digest())
      assert.equal(await second.digestAsync(), memory.digest())
      assert.deepEqual(await second.horizonAsync(), memory.horizon())
      const status = await second.statusAsync()
      assert.deepEqual([status.rulesSeen.at(-1), status.horizon, status.lag.behind], [status.rules, memory.horizon(), 0])
      assert.equal((await second.lagAsync()).behind, 0)
      const { store } = first
      await Promise.all([first.closeAsync(), second.closeAsync()])
      await assert.rejects(first.lagAsync(), { code: 'closed' })
      await assert.rejects(store.nowAsync(), { code: 'closed' })
      const again = await open(game)
      assert.equal(await again.digestAsync(), memory.digest())
      assert.deepEqual([...again.board('xp').at('daily', at)], boards[0])
      await again.closeAsync()
    })

    test('rivals lose and double nothing', async () => {
      const game = fresh()
      const engines = await Promise.all([open(game), open(game)])
      const commands = Array.from({ length: 400 }, (_, n) => adjust(n, 20))
      const outcomes = await Promise.all(engines.flatMap((engine) => commands.map((command) => engine.submitAsync(command))))
      const count = (code) => outcomes.filter((outcome) => outcome.code === code).length
      assert.deepEqual([count('applied'), count('replayed')], [400, 400])
      let xp = 0
      for await (const player of engines[0].playersAsync()) xp += player.xp
      assert.equal(xp, 400)
      await Promise.all(engines.map((engine) => engine.closeAsync()))
    })

    test('a constructor does not wait, and verbs that would hold the event loop say which do not', async () => {
      const game = fresh()
      const message = /^would_block: .*`await Engine\.open\(rules, \{ store \}\)`/
      for (const work of [() => new Engine(game, { store: make(server.url) }), () => Engine.restore(game, new Engine(game).snapshot(), { store: make(server.url) })]) {
        assert.throws(work, { name: 'LiveopsError', code: 'would_block', httpStatus: 500, message })
      }
      assert.throws(() => make(server.url).now(), { code: 'closed' })
      const engine = await open(game)
      for (const [verb, ...args] of [['submit', adjust(1)], ['submitBatch', [adjust(1)]], ['submitNdjson', ''], ['player', 'ana'], ['lag'], ['catchUp'], ['status'], ['digest'], ['horizon']]) {
        assert.throws(() => engine[verb](...args), { code: 'would_block', message: new RegExp(`call ${verb}Async$`) }, verb)
      }
      assert.throws(() => engine.store.now(), { code: 'would_block' })
      assert.equal(typeof await engine.store.nowAsync(), 'number')
      await engine.closeAsync()
    })

    test('many lines come back in their order', async () => {
      const engine = await open(fresh())
      const text = Array.from({ length: 5_000 }, (_, n) => n % 10 === 0 ? '{}' : event(`e${n}`, `p${n % 97}`, 1)).join('\n')
      const outcomes = await engine.submitNdjsonAsync(text, at)
      assert.deepEqual([...outcomes].map(({ code }) => code === 'applied'), Array.from({ length: 5_000 }, (_, n) => n % 10 !== 0))
      await engine.closeAsync()
    })

    test('a period that one dropped is dropped for all', async () => {
      const game = fresh()
      const [first, second] = await Promise.all([open(game), open(game)])
      await first.submitNdjsonAsync(lines(7), at)
      await second.catchUpAsync()
      const period = second.board('xp').period('daily', at)
      assert.equal(second.board('xp').of(period).length, 7)
      await first.advanceAsync({ nowMs: NOW_MS + 9 * DAY, far: true })
      await second.catchUpAsync()
      for (const one of [first, second]) assert.throws(() => one.board('xp').of(period).top(), { code: 'period_dropped' })
      await Promise.all([first.closeAsync(), second.closeAsync()])
    })

    test('snapshots go both ways', async () => {
      const game = fresh()
      const memory = new Engine(game)
      memory.submitNdjson(lines(50), at)
      const store = make(server.url)
      const engine = await Engine.open(game, { store, snapshot: memory.snapshot() })
      assert.equal(await engine.digestAsync(), memory.digest())
      assert.equal(Engine.restore(game, await engine.snapshotAsync()).digest(), memory.digest())
      await assert.rejects(Engine.open(game, { store: make(server.url), snapshot: memory.snapshot() }), { code: 'store_misconfigured' })
      await engine.closeAsync()
    })

    test('a server that is stopped does not hold the event loop', async () => {
      const engine = await open(fresh(), { timeoutSeconds: 0.5 })
      assert.equal((await engine.submitAsync(adjust(0))).code, 'applied')
      server.stop()
      try {
        let waits = true
        const waiting = Promise.all(Array.from({ length: 7 }, (_, n) => engine.submitAsync(adjust(n + 1)))).finally(() => { waits = false })
        const reading = engine.playerAsync('p1').then(() => undefined, (error) => error)
        let turns = 0
        while (waits) {
          await sleep(5)
          turns++
          engine.board('xp').top('daily', 10, at)
        }
        assert.ok(turns > 10, `${turns} turns`)
        for (const { code } of await waiting) assert.match(code, /^store_(unavailable|outcome_unknown)$/)
        assert.ok(await reading instanceof StoreError)
      } finally {
        server.goOn()
      }
      for (let n = 1; n < 8; n++) {
        let outcome
        while ((outcome = await engine.submitAsync(adjust(n))).code.startsWith('store_')) await sleep(50)
        assert.match(outcome.code, /^(applied|replayed)$/)
      }
      let xp = 0
      for await (const player of engine.playersAsync()) xp += player.xp
      assert.equal(xp, 8)
      await engine.closeAsync()
    })

    test('who waits is answered when the engine is closed, or the process ends', async () => {
      const game = fresh()
      const engine = await open(game)
      const waiting = Array.from({ length: 300 }, (_, n) => engine.submitAsync(adjust(n)))
      await Promise.resolve()
      await engine.closeAsync()
      for (const outcome of await Promise.all(waiting)) assert.equal(outcome.code, 'applied')
      const script = `
        import { Command, Engine, PostgresStore, RedisStore } from ${here('../index.mjs')}
        import { rules } from ${here('./game.mjs')}
        const url = ${JSON.stringify(server.url)}
        const engine = await Engine.open(rules({ game: ${JSON.stringify(game.game)} }), { store: ${code} })
        const outcomes = await Promise.all(Array.from({ length: 300 }, (_, n) => engine.submitAsync(Command.adjust({ id: 'a' + n, player: 'p' + n % 7, xp: 1, reason: 'r', nowMs: ${NOW_MS} }))))
        console.log(outcomes.every(({ code }) => code === 'replayed'))
        if (process.argv.includes('exit')) process.exit(0)`
      for (const how of ['', 'exit']) {
        assert.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', script, '--', how], { encoding: 'utf8', timeout: 60_000 }), 'true\n')
      }
    })

    test('a worker has an engine of its own, and may be ended at any moment', async () => {
      const game = fresh()
      const script = `
        const { parentPort, workerData: { url, name, ends } } = require('node:worker_threads')
        const { Command, Engine, PostgresStore, RedisStore } = require(${JSON.stringify(new URL('../index.js', import.meta.url).pathname)})
        import(${here('./game.mjs')}).then(async ({ rules }) => {
          const engine = await Engine.open(rules({ game: name }), { store: ${code} })
          const submits = Array.from({ length: 200 }, (_, n) => engine.submitAsync(Command.adjust({ id: 'w' + n, player: 'p' + n % 7, xp: 1, reason: 'r', nowMs: ${NOW_MS} })))
          if (ends) { parentPort.postMessage('under way'); return }
          await Promise.all(submits)
          parentPort.postMessage('done')
          await engine.closeAsync()
        })`
      for (const ends of [true, false]) {
        const worker = new Worker(script, { eval: true, workerData: { url: server.url, name: game.game, ends } })
        assert.deepEqual(await once(worker, 'message'), [ends ? 'under way' : 'done'])
        if (ends) await worker.terminate()
        else await once(worker, 'exit')
      }
      const engine = await open(game)
      let xp = 0
      for await (const player of engine.playersAsync()) xp += player.xp
      assert.equal(xp, 200)
      await engine.closeAsync()
    })

    test('what V8 is told of stays near what is held', async () => {
      const engine = await open(fresh())
      const before = native.toldMemory()
      for (let round = 0; round < 20; round++) {
        const outcomes = await engine.submitNdjsonAsync(lines(2_000, 50).replaceAll('"e', `"r${round}e`), at)
        outcomes.close()
        await engine.playersPageAsync()
      }
      await engine.closeAsync()
      native.tellMemory()
      const change = native.toldMemory() - before
      assert.ok(native.toldMemory() >= 0 && Math.abs(change) < 16 << 20, `${change} bytes`)
    })

    test('errors tell no secrets', async () => {
      const odd = kind === 'postgres'
        ? [
            ['store_unavailable', new PostgresStore(`postgresql://${SECRET}:${SECRET}@127.0.0.1:1/${SECRET}`)],
            ['store_misconfigured', new PostgresStore(`${SECRET}: no address at all`)],
            ['store_misconfigured', new PostgresStore(`${server.url} dbname=${SECRET}`)],
            ['store_misconfigured', new PostgresStore(server.url, { tlsCa: `${SECRET}, and not PEM` })]
          ]
        : [
            ['store_unavailable', new RedisStore(`redis://${SECRET}:${SECRET}@127.0.0.1:1/`)],
            ['store_misconfigured', new RedisStore(`${SECRET}: no address at all`)],
            ['store_misconfigured', new RedisStore(`${server.url}${server.url.includes('?') ? '&' : '?'}user=${SECRET}&pass=${SECRET}`)],
            ['store_misconfigured', new RedisStore([])]
          ]
      for (const [code, store] of odd) {
        await assert.rejects(Engine.open(fresh(), { store }), (error) => {
          assert.ok(error instanceof StoreError)
          assert.equal(error.code, code)
          const said = `${error.stack} ${error.cause?.stack} ${JSON.stringify(error)} ${JSON.stringify(store)}`
          assert.ok(!said.includes(SECRET) && !said.includes('127.0.0.1'), said)
          return true
        })
      }
    })

    test('options are checked', () => {
      for (const wrong of [{ timeoutSeconds: 0 }, { timeoutSeconds: NaN }, { clockAheadSeconds: -1 }, { feed: -1 }, { outboxEntries: 0 }]) {
        assert.throws(() => make(server.url, wrong), { name: 'RangeError', code: 'out_of_range' }, JSON.stringify(wrong))
      }
      for (const odd of [{ tlsCertificate: 'x' }, { tlsKey: 'x' }, { tlsCa: 5 }, { timeoutSeconds: '2' }, { feed: 1.5 }, { unheardOf: 1 }]) {
        assert.throws(() => make(server.url, odd), { name: 'TypeError', code: 'invalid_argument' }, JSON.stringify(odd))
      }
      assert.throws(() => make(5), { name: 'TypeError' })
    })
  })
}

describe('a cluster', () => {
  let server
  before(async () => { server = await serve('cluster') })
  after(() => server.close())

  test('is a list of addresses', async () => {
    const game = rules({ game: 'cluster' })
    const store = () => new RedisStore(server.urls, { partitions: 8, allowNoPersistence: true, clockAheadSeconds: null })
    const [first, second] = await Promise.all([store(), store()].map((store) => Engine.open(game, { store })))
    assert.deepEqual((await first.submitNdjsonAsync(lines(50), at)).counts(), { applied: 50 })
    assert.deepEqual((await second.submitNdjsonAsync(lines(50), at)).counts(), { replayed: 50 })
    await second.catchUpAsync()
    assert.deepEqual(second.board('xp').top('daily', 10, at), first.board('xp').top('daily', 10, at))
    await Promise.all([first.closeAsync(), second.closeAsync()])
  })
})
