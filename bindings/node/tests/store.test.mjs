// A game in one file: opened once, killed, opened again; submits that wait form groups; the loop is never held.

import assert from 'node:assert/strict'
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Command, Engine, MemoryStore, SqliteStore, StoreError } from '../index.mjs'
import { DOCUMENT, NOW_MS, event, rules } from './game.mjs'

const at = { nowMs: NOW_MS }
const LINES = [event('e1', 'ana', 150), event('e2', 'bo', 120), event('e3', 'cy', 40)].join('\n')
const folder = mkdtempSync(join(tmpdir(), 'liveops-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
const fresh = () => join(folder, `${files++}.db`)
const open = (path, options) => Engine.open(rules(), { store: new SqliteStore(path, options) })
const adjust = (id, xp = 1, player = 'ana') => Command.adjust({ id, player, xp, reason: 'r', ...at })
const here = (name) => JSON.stringify(new URL(name, import.meta.url).href)

describe('a game in a file', () => {
  test('goes on where it was', async () => {
    const path = fresh()
    const memory = new Engine(rules())
    let engine = await open(path)
    for (const one of [memory, engine]) {
      assert.deepEqual((await one.submitNdjsonAsync(LINES, at)).counts(), { applied: 3 })
      await one.advanceAsync(at)
    }
    assert.equal(await engine.digestAsync(), memory.digest())
    await engine.closeAsync()
    engine = new Engine(rules(), { store: new SqliteStore(path) })
    assert.equal(await engine.digestAsync(), memory.digest())
    assert.deepEqual(await engine.playerAsync('ana'), memory.player('ana'))
    assert.deepEqual(engine.board('xp').top('daily', 9, at), memory.board('xp').top('daily', 9, at))
    assert.deepEqual((await engine.submitNdjsonAsync(LINES, at)).counts(), { replayed: 3 })
    assert.deepEqual(await engine.horizonAsync(), memory.horizon())
    engine.close()
  })

  test('refuses verbs that would hold the event loop, and says which do not', async () => {
    const engine = await open(fresh(), { feed: 100 })
    const command = adjust('a1')
    for (const [verb, ...args] of [
      ['submit', command], ['submitBatch', [command]], ['submitNdjson', LINES], ['player', 'ana'], ['players'], ['playersPage'], ['receipts', 'ana'], ['receiptsPage', 'ana'],
      ['claimable', 'ana'], ['chainHead', 'ana'], ['explain', 'ana'], ['exportPlayer', 'ana'], ['exportPlayerPage', 'ana'], ['suspicions'], ['suspicions', 'ana'], ['suspicionsPage'], ['suspicionsNdjson'],
      ['suspicionsNdjsonPage'], ['advance'], ['horizon'], ['digest'], ['snapshot'], ['size'], ['feed'], ['feedPage'], ['last'], ['ack', 'inventory'], ['dropConsumer', 'inventory'],
      ['consumers'], ['replaceRules', rules()], ['planMigration', rules()], ['migrations'], ['migrationsPage'], ['payout', 'xp', 'daily', { earlier: 1 }], ['payClosed']
    ]) {
      assert.throws(() => engine[verb](...args), (error) => {
        assert.deepEqual([error.name, error.code, error.httpStatus], ['LiveopsError', 'would_block', 500], verb)
        assert.match(error.message, /^would_block: (\w+) would hold the event loop .*; call \1Async$/)
        return true
      })
    }
    assert.throws(() => engine.board('xp').archive('daily', { earlier: 1 }), { code: 'would_block' })
    for (const verb of ['status', 'verify']) assert.throws(() => engine.store[verb](), { code: 'would_block' })
    assert.throws(() => engine.store.backup(fresh()), { code: 'would_block' })
    assert.deepEqual([engine.board('xp').top('daily', 9, at), engine.stats(), engine.rules.game, engine.partitions], [[], {}, 'emberfall', 1])
    await engine.closeAsync()
  })

  test('has every verb as a promise', async () => {
    const memory = new Engine(rules(), { feed: 100 })
    const engine = await open(fresh(), { feed: 100 })
    // One after the other: of several players in one batch the feed keeps no order.
    for (const one of [memory, engine]) for (const line of LINES.split('\n')) await one.submitNdjsonAsync(line, at)
    for (const [verb, ...args] of [
      ['player', 'ana'], ['playersPage', null, 2], ['receipts', 'ana'], ['receiptsPage', 'ana'], ['claimable', 'ana', at], ['chainHead', 'ana'], ['explain', 'ana', at],
      ['exportPlayer', 'ana'], ['exportPlayerPage', 'ana', null, 2], ['suspicionsPage'], ['suspicionsNdjson'], ['advance', at], ['horizon'], ['digest'], ['size'], ['last'], ['ack', 'inventory'], ['consumers'],
      ['dropConsumer', 'inventory'], ['planMigration', rules()], ['payClosed', null, at], ['replaceRules', rules({ limits: { maxPastSeconds: 60 } })]
    ]) assert.deepEqual(await engine[`${verb}Async`](...args), memory[verb](...args), verb)
    const listed = async (walk) => {
      const all = []
      for await (const one of walk) all.push(one)
      return all
    }
    assert.deepEqual(await listed(engine.playersAsync()), [...memory.players()])
    assert.deepEqual(await listed(engine.feedAsync()), [...memory.feed()])
    const { store } = engine
    await engine.closeAsync()
    await assert.rejects(engine.playerAsync('ana'), { code: 'closed' })
    await assert.rejects(store.statusAsync(), { code: 'closed' })
    for (const work of [() => store.status(), () => store.verify(), () => store.backup(fresh())]) assert.throws(work, { code: 'closed' })
  })

  test('goes from memory into a file and back', async () => {
    const memory = new Engine(rules())
    memory.submitNdjson(LINES, at)
    memory.advance(at)
    const store = new SqliteStore(fresh())
    const engine = await Engine.open(rules(), { store, snapshot: memory.snapshot() })
    assert.equal(await engine.digestAsync(), memory.digest())
    const back = Engine.restore(rules(), await engine.snapshotAsync())
    assert.equal(back.digest(), memory.digest())
    assert.deepEqual(back.board('xp').top('daily', 9, at), engine.board('xp').top('daily', 9, at))
    await engine.closeAsync()
    await assert.rejects(Engine.open(rules(), { store, snapshot: memory.snapshot() }), { code: 'store_misconfigured' }, 'it holds something')
  })

  test('can be copied and checked while it goes on', async () => {
    const store = new SqliteStore(fresh())
    await assert.rejects(store.statusAsync(), { code: 'closed' }, 'no engine has it open')
    assert.throws(() => store.status(), { code: 'closed' })
    const engine = await Engine.open(rules(), { store })
    assert.equal(engine.store, store)
    await engine.submitNdjsonAsync(LINES, at)
    const copy = fresh()
    await store.backupAsync(copy)
    await store.verifyAsync()
    const { sync, changeSets, rounds, feedLenMax } = await store.statusAsync()
    assert.deepEqual([sync, changeSets, rounds, feedLenMax], ['full', 3, 1, null])
    const twin = await open(copy)
    assert.equal(await twin.digestAsync(), await engine.digestAsync())
    await Promise.all([engine.closeAsync(), twin.closeAsync()])
  })

  test('keeps its feed, and what consumers have dealt with', async () => {
    const path = fresh()
    let engine = await open(path, { feed: 100 })
    await engine.submitNdjsonAsync(LINES, at)
    const { items } = await engine.feedPageAsync(null, 2)
    await engine.ackAsync('inventory', items[1].cursor)
    await engine.closeAsync()
    engine = await open(path)
    const [{ consumer, cursors }] = await engine.consumersAsync()
    assert.deepEqual([consumer, cursors], ['inventory', [items[1].cursor]])
    const rest = await engine.feedPageAsync(cursors[0])
    assert.deepEqual(rest.items.map(({ playerId }) => playerId), ['cy'])
    await assert.rejects(engine.feedPageAsync(), { code: 'feed_gap', httpStatus: 410 })
    await engine.closeAsync()
  })
})

test('three weeks asleep, each closing is seen and paid once, and what is no longer kept is named', async () => {
  const day = 86_400_000
  const grant = { kind: 'item', id: 'crown', amount: 1 }
  const boards = { xp: { value: 'grantedXp', keepPeriods: { daily: 2, weekly: 8 }, payouts: { daily: [{ tier: 'gold', ranks: [1, 1], grant }], weekly: [{ tier: 'gold', ranks: [1, 1], grant }] } } }
  const path = fresh()
  const begin = () => Engine.open(rules({ boards }), { store: new SqliteStore(path) })
  const slept = Date.now() - 21 * day
  let engine = await begin()
  await engine.advanceAsync({ nowMs: slept })
  await engine.submitNdjsonAsync(event('e1', 'ana', 120, { ts: Math.floor(slept / 1000) }), { nowMs: slept })
  const { mark } = await engine.payClosedAsync(null, { nowMs: slept })
  await engine.closeAsync()

  engine = await begin()
  const { now } = await engine.advanceAsync()
  assert.ok(now > slept + 20 * day, 'by the clock, however long it was')
  const closings = [...engine.closedBetween(mark, now)]
  assert.ok(closings.filter(({ window }) => window === 'daily').length >= 20)
  const run = await engine.payClosedAsync(mark, { nowMs: now })
  const weekly = closings.filter(({ window }) => window === 'weekly')
  assert.deepEqual(run.periods.map(({ window, paid, label }) => [window, paid, label]), [['weekly', 1, weekly[0].label]])
  assert.equal(run.dropped[0].window, 'daily')
  assert.equal(run.dropped[0].first, closings.find(({ window }) => window === 'daily').index)
  assert.deepEqual((await engine.payClosedAsync(mark, { nowMs: now })).periods.map(({ paid, paidBefore }) => [paid, paidBefore]), [[0, 1]], 'the mark was lost')
  assert.deepEqual((await engine.payClosedAsync(run.mark, { nowMs: now })).periods, [])
  await engine.closeAsync()
})

test('what a file has recorded decides alike in memory', async () => {
  const path = fresh()
  let engine = await Engine.open(rules(), { store: new SqliteStore(path, { feed: 1000 }), recording: true })
  await engine.advanceAsync(at)
  await engine.submitNdjsonAsync(LINES, at)
  await Promise.all(Array.from({ length: 100 }, (_, n) => engine.submitAsync(adjust(`a${n}`, n, `p${n % 7}`))))
  await engine.closeAsync()
  engine = await open(path)
  const twin = new Engine(rules())
  for await (const entry of engine.feedAsync()) {
    if (entry.kind === 'advanced') twin.advance({ nowMs: entry.now, far: true })
    else for (const outcome of twin.submitBatch(entry.run.commands)) outcome.unwrap()
  }
  assert.equal(twin.digest(), await engine.digestAsync())
  await engine.closeAsync()
})

describe('submits that wait', () => {
  test('form groups', async () => {
    const store = new SqliteStore(fresh())
    const engine = await Engine.open(rules(), { store })
    const before = await store.statusAsync()
    const submits = async (caller) => {
      for (let n = 0; n < 10; n++) (await engine.submitAsync(adjust(`a${n}`, 1, `p${caller}`))).unwrap()
    }
    await Promise.all(Array.from({ length: 64 }, (_, caller) => submits(caller)))
    const rounds = (await store.statusAsync()).rounds - before.rounds
    assert.ok(rounds >= 10 && rounds <= 64, `640 commands in ${rounds} rounds`)
    assert.equal((await engine.sizeAsync()).players, 64)
    await engine.closeAsync()
  })

  test('leave the pool of threads to others', () => {
    // A pool of one thread: had a submit it for itself, the file would be read after all of them.
    const script = `
      import { readFile } from 'node:fs/promises'
      import { Command, Engine, SqliteStore } from ${here('../index.mjs')}
      import { rules } from ${here('./game.mjs')}
      const engine = new Engine(rules(), { store: new SqliteStore(${JSON.stringify(fresh())}) })
      let answered = 0
      const submits = Array.from({ length: 300 }, async (_, n) => {
        for (let m = 0; m < 20; m++) {
          await engine.submitAsync(Command.adjust({ id: 'a' + m, player: 'p' + n, xp: 1, reason: 'r', nowMs: ${NOW_MS} }))
          answered++
        }
      })
      await readFile(${JSON.stringify(new URL(import.meta.url).pathname)})
      const first = answered
      await Promise.all(submits)
      await engine.closeAsync()
      console.log(answered, first < answered)`
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
    assert.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', env }), '6000 true\n')
  })

  test('are answered and on the disk when the engine is closed meanwhile', async () => {
    for (const close of ['close', 'closeAsync']) {
      const path = fresh()
      const engine = await open(path)
      const waiting = Array.from({ length: 200 }, (_, n) => engine.submitAsync(adjust(`a${n}`)))
      await Promise.resolve()
      await engine[close]()
      await assert.rejects(engine.submitAsync(adjust('b')), { code: 'closed' })
      for (const outcome of await Promise.all(waiting)) assert.equal(outcome.code, 'applied')
      const again = await open(path)
      assert.equal((await again.playerAsync('ana')).xp, 200)
      await again.closeAsync()
    }
  })
})

test('whoever closes an engine that is being closed waits for the same', async () => {
  const path = fresh()
  const engine = await open(path)
  const waiting = Array.from({ length: 200 }, (_, n) => engine.submitAsync(adjust(`a${n}`)))
  await Promise.resolve()
  let first = false
  const closing = engine.closeAsync().then(() => { first = true })
  await engine.closeAsync()
  assert.ok(first, 'the second was done before the first')
  const again = await open(path)
  assert.equal((await again.playerAsync('ana')).xp, 200)
  for (const outcome of await Promise.all(waiting)) assert.equal(outcome.code, 'applied')
  await Promise.all([closing, again.closeAsync(), engine.closeAsync()])
})

test('what is too much for the queue is refused, and nothing of it is taken', async () => {
  const engine = new Engine(rules())
  // 100,000 lines, more than the thread is done with while as many are copied.
  const lines = Buffer.alloc(100_000 * 400, `${event('q', 'ana', 1).padEnd(399)}\n`)
  const before = engine.submitBatchAsync(Array.from({ length: 20_000 }, (_, n) => adjust(`a${n}`)))
  const taken = engine.submitNdjsonAsync(lines, at)
  const refused = await engine.submitNdjsonAsync(lines, at)
  assert.deepEqual(refused.counts(), { store_unavailable: 100_000 })
  assert.deepEqual([refused.at(0).status, refused.at(0).httpStatus], ['refused', 503])
  assert.throws(() => refused.at(0).unwrap(), { name: 'Refusal', code: 'store_unavailable' })
  assert.deepEqual((await before).counts(), { applied: 20_000 })
  assert.deepEqual((await taken).counts(), { applied: 1, replayed: 99_999 })
  assert.deepEqual((await engine.submitNdjsonAsync(lines, at)).counts(), { replayed: 100_000 })
})

describe('a partition that is not there is the caller\'s mistake', () => {
  for (const where of ['memory', 'file']) {
    test(`in ${where}`, async () => {
      const engine = where === 'file' ? await open(fresh(), { feed: 10 }) : new Engine(rules(), { feed: 10 })
      const invalid = { code: 'cursor_invalid', httpStatus: 400 }
      for (const [verb, ...args] of [['feedPage', '7.0'], ['feedPage', null, 10, { partition: 1 }], ['last', 1], ['ack', 'inventory', '7.0']]) {
        await assert.rejects(engine[`${verb}Async`](...args), invalid, verb)
        if (where === 'memory') assert.throws(() => engine[verb](...args), invalid, verb)
      }
      assert.deepEqual(await engine.consumersAsync(), [])
      await engine.closeAsync()
    })
  }
})

describe('one process has the file', () => {
  const inUse = { name: 'StoreError', code: 'store_in_use', httpStatus: 503 }

  test('and in it one engine', async () => {
    const path = fresh()
    const engine = await open(path)
    await assert.rejects(open(path), inUse)
    assert.throws(() => new Engine(rules(), { store: new SqliteStore(path) }), inUse)
    const waiting = open(path, { waitSeconds: 60 })
    await engine.closeAsync()
    const next = await waiting
    await next.closeAsync()
  })

  test('of a cluster too', () => {
    const script = join(folder, 'cluster.mjs')
    writeFileSync(script, `
      import cluster from 'node:cluster'
      import { Engine, SqliteStore } from ${here('../index.mjs')}
      import { rules } from ${here('./game.mjs')}
      const path = ${JSON.stringify(fresh())}
      if (cluster.isPrimary) {
        const told = []
        const first = cluster.fork()
        first.on('message', (code) => {
          told.push(code)
          const second = cluster.fork()
          second.on('message', (code) => {
            told.push(code)
            console.log(told.join(' '))
            first.kill('SIGKILL')
            second.kill('SIGKILL')
          })
        })
      } else {
        setInterval(() => {}, 1000)
        try {
          globalThis.engine = await Engine.open(rules(), { store: new SqliteStore(path) })
          process.send('open')
        } catch (error) {
          process.send(error.code)
        }
      }`)
    assert.equal(execFileSync(process.execPath, [script], { encoding: 'utf8' }), 'open store_in_use\n')
  })

  test('of worker threads too, and lets go of it when one ends', async () => {
    const path = fresh()
    const script = `
      import { parentPort } from 'node:worker_threads'
      import { Command, Engine, SqliteStore } from ${here('../index.mjs')}
      import { rules } from ${here('./game.mjs')}
      const engine = await Engine.open(rules(), { store: new SqliteStore(${JSON.stringify(path)}) })
      const submit = (n) => engine.submitAsync(Command.adjust({ id: 'a' + Date.now() + '-' + n, player: 'ana', xp: 1, reason: 'r', nowMs: ${NOW_MS} }))
      await submit('first')
      parentPort.postMessage('open')
      for (let n = 0; ; n += 100) await Promise.all(Array.from({ length: 100 }, (_, m) => submit(n + m)))`
    for (let round = 0, xp = 0; round < 3; round++) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`))
      await once(worker, 'message')
      await assert.rejects(open(path), inUse)
      await worker.terminate()
      const engine = await open(path, { waitSeconds: 10 })
      const now = (await engine.playerAsync('ana')).xp
      assert.ok(now > xp)
      xp = now
      await engine.closeAsync()
    }
  })

  test('also while a living child holds nothing of it', async () => {
    const path = fresh()
    const engine = await open(path)
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'])
    await engine.closeAsync()
    const again = await open(path)
    child.kill()
    await again.closeAsync()
  })
})

test('what was acknowledged is there after a kill, each once', { timeout: 120_000 }, async () => {
  const path = fresh()
  const script = join(folder, 'killed.mjs')
  writeFileSync(script, `
    import { Command, Engine, SqliteStore } from ${here('../index.mjs')}
    import { rules } from ${here('./game.mjs')}
    const engine = await Engine.open(rules(), { store: new SqliteStore(${JSON.stringify(path)}) })
    const round = process.argv[2]
    process.send('ready')
    await Promise.all(Array.from({ length: 16 }, async (_, caller) => {
      for (let n = 0; ; n++) {
        const id = ['k', round, caller, n].join('-')
        const outcome = await engine.submitAsync(Command.adjust({ id, player: 'p' + caller, xp: 1, reason: 'r', nowMs: ${NOW_MS} }))
        if (outcome.status === 'applied') process.send(id)
      }
    }))`)
  const acknowledged = []
  for (let round = 0; round < 6; round++) {
    const child = fork(script, [String(round)])
    const before = acknowledged.length
    const enough = new Promise((resolve) => child.on('message', (id) => {
      if (id === 'ready') return
      acknowledged.push(id)
      if (acknowledged.length - before > 40 + 60 * round) resolve()
    }))
    await enough
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.ok(acknowledged.length > before, 'something happened before the kill')
  }
  const engine = await open(path)
  const again = await engine.submitBatchAsync(acknowledged.map((id) => adjust(id, 1, `p${id.split('-')[2]}`)))
  assert.deepEqual(again.counts(), { replayed: acknowledged.length })
  let sum = 0
  for await (const { playerId, xp } of engine.playersAsync()) {
    const mine = acknowledged.filter((id) => `p${id.split('-')[2]}` === playerId).length
    assert.ok(xp >= mine && xp <= mine + 6, `${playerId} has ${xp} of ${mine}: at most one more a kill`)
    sum += xp
  }
  assert.ok(sum >= acknowledged.length)
  await engine.store.verifyAsync()
  await engine.closeAsync()
})

describe('what is no file of a game', () => {
  const refused = (code, path, options) => async () => {
    const store = () => ({ store: new SqliteStore(typeof path === 'function' ? path() : path, options) })
    await assert.rejects(Engine.open(rules(), store()), (error) => error.code === code && error instanceof StoreError)
    assert.throws(() => new Engine(rules(), store()), { code })
  }
  const made = (work) => {
    const path = fresh()
    work(path)
    return path
  }

  test('a folder', refused('store_misconfigured', folder))
  test('a missing folder', refused('store_misconfigured', join(folder, 'nowhere', 'game.db')))
  test('a text', refused('store_corrupt', made((path) => writeFileSync(path, 'no database, but long enough to be one '.repeat(100)))))
  test('somebody else\'s database', async () => {
    const path = fresh()
    await (await open(path)).closeAsync()
    const bytes = readFileSync(path)
    bytes.writeUInt32BE(0x12345678, 68) // application_id
    writeFileSync(path, bytes)
    await refused('store_misconfigured', path)()
    assert.deepEqual(readFileSync(path), bytes)
  })

  test('a receipt that nobody has', async () => {
    const engine = await open(fresh())
    await engine.submitNdjsonAsync(LINES, at)
    for (const number of [0, 99, Number.MAX_SAFE_INTEGER]) {
      const claim = Command.claim({ player: 'ana', receipt: { number, id: '0'.repeat(64) }, ...at })
      assert.equal((await engine.submitAsync(claim)).code, 'receipt_unknown')
    }
    assert.equal((await engine.receiptsAsync('ana')).length, 1)
    await engine.closeAsync()
  })

  test('a file of another game', async () => {
    const path = fresh()
    await (await open(path)).closeAsync()
    await assert.rejects(Engine.open(rules({ game: 'other' }), { store: new SqliteStore(path) }), { code: 'store_misconfigured' })
  })

  test('a board that sorts otherwise', async () => {
    const path = fresh()
    const engine = await open(path)
    await engine.submitNdjsonAsync(LINES, at)
    await engine.closeAsync()
    const boards = { xp: { ...DOCUMENT.boards.xp, order: 'asc' } }
    await assert.rejects(Engine.open(rules({ boards }), { store: new SqliteStore(path) }), { code: 'board_incompatible' })
    const { xp, ...none } = DOCUMENT.boards
    const retiring = await Engine.open(rules({ boards: none, retiredBoards: ['xp'] }), { store: new SqliteStore(path) })
    await retiring.closeAsync()
    const other = await Engine.open(rules({ boards }), { store: new SqliteStore(path) })
    assert.deepEqual(other.board('xp').top('daily', 9, at), [], 'another board of this name')
    await other.closeAsync()
  })

  test('damaged bytes', async () => {
    const path = fresh()
    const engine = await open(path)
    await engine.submitNdjsonAsync(LINES, at)
    await engine.closeAsync()
    const bytes = readFileSync(path)
    const place = bytes.lastIndexOf('ana')
    assert.ok(place > 0)
    for (let n = 4096; n < bytes.length; n++) bytes[n] ^= 0x55
    writeFileSync(path, bytes)
    await refused('store_corrupt', path)()
    await assert.rejects(open(path), ({ cause }) => cause instanceof Error && cause.message !== '')
  })

  test('a newer version, which stays as it is', async () => {
    const path = fresh()
    await (await open(path)).closeAsync()
    const bytes = readFileSync(path)
    bytes.writeUInt32BE(99, 60) // user_version
    writeFileSync(path, bytes)
    await refused('record_too_new', path)()
    assert.deepEqual(readFileSync(path), bytes)
  })

  test('a file that cannot be written', { skip: process.getuid?.() === 0 && 'root may write anything' }, async () => {
    const path = fresh()
    await (await open(path)).closeAsync()
    chmodSync(path, 0o444)
    await refused('store_misconfigured', path)()
  })

  test('a full feed refuses commits, never an advance', async () => {
    const engine = await open(fresh(), { feed: 1 })
    await engine.ackAsync('inventory')
    const outcomes = [...await engine.submitBatchAsync([adjust('a1'), adjust('a2', 1, 'bo')])]
    assert.deepEqual(outcomes.map(({ code }) => code).sort(), ['applied', 'feed_full'])
    assert.equal((await engine.advanceAsync(at)).now, NOW_MS)
    await engine.closeAsync()
  })
})

test('options of stores are what is meant, or refused', () => {
  for (const work of [
    () => new SqliteStore(), () => new SqliteStore(7), () => new SqliteStore('x', { feed: -1 }), () => new SqliteStore('x', { sync: 'never' }), () => new SqliteStore('x', { sync: 7 }),
    () => new SqliteStore('x', { waitSeconds: NaN }), () => new SqliteStore('x', { waitSeconds: -1 }), () => new SqliteStore('x', { waitSeconds: '1' }), () => new SqliteStore('x', { mode: 1 }),
    () => new SqliteStore('x', { allowNetworkFileSystem: 1 }), () => new MemoryStore({ feed: 0.5 }), () => new MemoryStore({ at: NOW_MS }), () => new MemoryStore({ snapshot: 7 }),
    () => new Engine(rules(), { store: {} }), () => new Engine(rules(), { store: 'game.db' }), () => new Engine(rules(), { store: new SqliteStore('x'), feed: 5 }),
    () => new Engine(rules(), { recording: 1 }), () => new Engine(rules(), { store: Object.create(SqliteStore.prototype) }), () => SqliteStore.prototype.status.call({})
  ]) assert.throws(work, (error) => /^(invalid_argument|out_of_range)$/.test(error.code), String(work))
  assert.equal(existsSync('x'), false, 'a description opens nothing')
  const store = new SqliteStore(new URL('file:///tmp/a%20b.db'))
  assert.equal(store.path, '/tmp/a b.db')
  assert.throws(() => new MemoryStore().status(), TypeError)
})

test('a relative path with folders', async () => {
  mkdirSync(join(folder, 'deep'))
  const engine = await open(join(folder, 'deep', '..', 'deep', 'game.db'))
  assert.ok(existsSync(join(folder, 'deep', 'game.db')))
  await engine.closeAsync()
})
