// Memory that V8 does not see: it is told of, and let go of when asked.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Calendar, Engine, EventParser, Leaderboard, LiveopsError, Rules, WindowedLeaderboard } from '../index.mjs'

const { native } = createRequire(import.meta.url)('../lib/native.js')

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const NOW_MS = 1_793_800_800_000
const RULES = fileURLToPath(new URL('../../../examples/data/rules.json', import.meta.url))
const rules = Rules.fromFile(RULES)
const owners = Array.from({ length: 20_000 }, (_, at) => `player-${at}`)
const scores = Float64Array.from(owners, (_, at) => at)
const bytes = Buffer.from(owners.slice(0, 2_000).map((playerId, at) => JSON.stringify({
  id: `e${at}`, type: 'progression', playerId, ts: NOW_MS / 1000, payload: { deltaXp: 5, activity: 'quest' }
})).join('\n'))

const makers = {
  Leaderboard () {
    const board = new Leaderboard()
    board.submitBatch(owners, scores)
    return board
  },
  WindowedLeaderboard () {
    const board = new WindowedLeaderboard({ calendar: new Calendar(), windows: { allTime: 1 } })
    board.submitBatch(owners, scores, { nowMs: NOW_MS })
    return board
  },
  Engine () {
    const engine = new Engine(rules)
    engine.submitNdjson(bytes, { nowMs: NOW_MS }).close()
    return engine
  },
  Outcomes: () => new Engine(rules).submitNdjson(bytes, { nowMs: NOW_MS })
}

/** By how much the most that was resident of a process grows when it does this alone, in bytes. */
function peakOf (code) {
  const script = `
    import { Calendar, Engine, Leaderboard, Rules, WindowedLeaderboard } from ${JSON.stringify(new URL('../index.mjs', import.meta.url))}
    const rules = Rules.fromFile(${JSON.stringify(RULES)})
    const [calendar, owners, scores] = [new Calendar(), ['ana', 'bo', 'cy', 'dee', 'eve'], [1, 2, 3, 4, 5]]
    const before = process.resourceUsage().maxRSS
    ${code}
    console.log((process.resourceUsage().maxRSS - before) * 1024)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }))
}

const closed = (error) => error instanceof LiveopsError && error.code === 'closed' && error.httpStatus === 500

/** A reason for finalizers, and turns of the event loop to run in; then V8 is told. */
async function settled () {
  for (let turn = 0; turn < 3; turn++) {
    collect()
    await setImmediate()
  }
  native.tellMemory()
}

describe('memory', () => {
  for (const [name, make] of Object.entries(makers)) {
    it(`of ${name} is told to V8, and freed by close`, () => {
      const before = native.toldMemory()
      const made = make()
      const held = native.toldMemory() - before
      assert.ok(held > 200_000, `${held} bytes told`)
      made.close()
      const freed = before + held - native.toldMemory()
      // Of an engine and its outcomes only the latter are closed here: 2,000, of a few dozen bytes each.
      assert.ok(freed > (name === 'Outcomes' ? 2_000 * 24 : held / 2), `${freed} of ${held} bytes freed`)
      made.close()
      made[Symbol.dispose ?? 'close']()
    })
  }

  it('of a closed object is gone, and every call says so', () => {
    const { Leaderboard: board, WindowedLeaderboard: windowed, Engine: engine, Outcomes: outcomes } =
      Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, make()]))
    const xp = engine.board('xp')
    const weekly = xp.at('weekly', { nowMs: NOW_MS })
    const rows = weekly[Symbol.iterator]()
    rows.next()
    for (const each of [board, windowed, engine, outcomes]) each.close()
    const calls = [
      () => board.length, () => board.submit('ana', 1), () => board.rank('ana'), () => board.snapshot(), () => [...board],
      () => windowed.rank('allTime', 'ana'), () => windowed.owners, () => windowed.snapshot(),
      () => engine.digest(), () => engine.player('ana'), () => engine.advance({ nowMs: NOW_MS }), () => engine.board('xp'),
      () => engine.submitNdjson(bytes, { nowMs: NOW_MS }), () => xp.top('weekly', 10), () => weekly.length, () => [...rows],
      () => outcomes.length, () => [...outcomes], () => outcomes.counts(), () => outcomes.at(0)
    ]
    for (const call of calls) assert.throws(call, closed, String(call))
    assert.throws(() => Leaderboard.prototype.close.call({}), { code: 'invalid_argument' })
  })

  it('that V8 is told of grows with what is held, and falls back when that is collected', async () => {
    await settled()
    const before = native.toldMemory()
    let boards = Array.from({ length: 20 }, () => new Leaderboard({ capacity: 20_000 }))
    const held = native.toldMemory() - before
    assert.ok(held > 20 * 1e6, `${held} bytes told of ${boards.length} boards`)
    boards = undefined
    await settled()
    const left = native.toldMemory() - before
    assert.ok(left < held / 20, `${left} of ${held} bytes left`)
  })

  it('of reports that another thread made is told as what it is, and not as less and less', async () => {
    const parser = new EventParser(rules)
    const lines = Buffer.from('{}\n'.repeat(1_000))
    // What earlier tests left behind goes first.
    await settled()
    const before = native.toldMemory()
    let held = before
    for (let n = 0; n < 200; n++) {
      const report = await parser.validateBatchAsync(lines, { nowMs: NOW_MS })
      assert.equal(report.refused, 1_000)
      if (n === 0) held = native.toldMemory()
      if (n % 20 === 19) await settled()
    }
    assert.ok(held - before > 200_000, `${held - before} bytes told of the first`)
    const change = native.toldMemory() - before
    assert.ok(Math.abs(change) < 5 * (held - before), `${change} bytes`)
  })

  it('of what waited and was written by another thread is told as what it is', async () => {
    const engine = new Engine(rules)
    const submit = async () => (await engine.submitNdjsonAsync(bytes.subarray(0, bytes.indexOf(10)), { nowMs: NOW_MS })).close()
    for (let n = 0; n < 100; n++) await submit()
    await settled()
    const before = native.toldMemory()
    for (let n = 0; n < 200; n++) await Promise.all(Array.from({ length: 100 }, submit))
    await settled()
    const grown = native.toldMemory() - before
    assert.ok(Math.abs(grown) < 500_000, `${grown} bytes after 20,000`)
    await engine.closeAsync()
    // The process of these tests ends although nothing else is closed.
  })

  it('of what threads of one call decided is told as what it is', async () => {
    const engine = new Engine(rules)
    const opts = { nowMs: NOW_MS, threads: 4 }
    const submit = async () => {
      engine.submitNdjson(bytes, opts).close()
      ;(await engine.submitNdjsonAsync(bytes, opts)).close()
    }
    for (let n = 0; n < 20; n++) await submit()
    await settled()
    const before = native.toldMemory()
    for (let n = 0; n < 200; n++) await submit()
    await settled()
    const grown = native.toldMemory() - before
    assert.ok(Math.abs(grown) < 500_000, `${grown} bytes after 400 calls`)
  })

  // The sum of all is 600 MB and more, of which V8 knows a few KB unless it is told.
  it('of large boards is bounded as long as the event loop gets a turn', () => {
    const peak = peakOf(`for (let n = 0; n < 500; n++) {
      new Leaderboard({ capacity: 20_000 })
      await new Promise(setImmediate)
    }`)
    assert.ok(peak < 300e6, `${peak} bytes more`)
  })

  // Nothing is given back before the loop ends, so what is made has to be small.
  for (const [name, made, count = 6_000] of [
    ['empty boards', 'new Leaderboard()'],
    ['boards of five owners', 'new Leaderboard().submitBatch(owners, scores)'],
    ['closed boards', 'new Leaderboard({ capacity: 10_000 }).close()'],
    ['boards of windows', "new WindowedLeaderboard({ calendar, windows: { allTime: 1 } })"],
    ['engines', 'new Engine(rules)', 1_000],
    ['closed engines', 'new Engine(rules).close()']
  ]) {
    it(`of ${count} ${name} in a synchronous loop is little`, () => {
      const peak = peakOf(`for (let n = 0; n < ${count}; n++) ${made}`)
      assert.ok(peak < 100e6, `${peak} bytes more`)
    })
  }
})

it('a snapshot is not kept by the engine that began with it', async () => {
  const first = new Engine(rules)
  const opened = [(bytes) => Engine.restore(rules, bytes), (snapshot) => new Engine(rules, { snapshot, feed: 10 })].map((open) => {
    const snapshot = Uint8Array.from(first.snapshot())
    return [open(snapshot), new WeakRef(snapshot)]
  })
  await setImmediate()
  collect()
  for (const [engine, snapshot] of opened) {
    assert.equal(snapshot.deref(), undefined)
    assert.equal(engine.store.constructor.name, 'MemoryStore')
  }
})
