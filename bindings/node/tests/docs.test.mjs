// The examples of index.d.ts and of the README, run as they stand: what a comment says of a line is so.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import liveops from '../index.mjs'
import { NOW_MS, event, kill, rules, DOCUMENT } from './game.mjs'

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const TYPES = read('index.d.ts')
const payouts = { weekly: [{ tier: 'gold', ranks: [1, 1], grant: { kind: 'item', id: 'crown', amount: 1 } }] }
const boards = { xp: { ...DOCUMENT.boards.xp, payouts } }

/** What the examples are given. */
function given () {
  const engine = new liveops.Engine(rules({ boards }))
  const lastWeek = { ts: NOW_MS / 1000 - 7 * 86_400 }
  engine.submitNdjson([event('e1', 'ana', 120, lastWeek), event('e2', 'bo', 90, lastWeek)].join('\n'), { nowMs: lastWeek.ts * 1000 })
  const stored = []
  return {
    ...liveops, engine, stored, store: (...values) => stored.push(values), keep () {}, tomorrow: new Date(NOW_MS + 86_400_000), now: new Date(NOW_MS),
    mark: NOW_MS - 7 * 86_400_000, console: { log () {} }, rules: rules(), body: event(undefined, 'ana', 120), old: liveops.generateSecret(),
    fresh: liveops.generateSecret(), ndjson: [event('e1', 'ana', 120), event('e2', 'ana', -1)].join('\n')
  }
}

const WAITING = { hydra: { on: { event: 'progression' }, grant: { kind: 'currency', id: 'gold', amount: 50 }, claimWithinSeconds: 3600 } }
const CURVES = { old: { kind: 'table', costs: [100, 200, 300] }, cheaper: { kind: 'table', costs: [100, 100, 100] } }

/** An engine whose level curve is about to change, and one of its players was promised something. */
function changing () {
  const progress = { curve: CURVES.cheaper, migrations: [{ from: CURVES.old, policy: 'keepTotalXp', levelRewards: 'grant' }] }
  const engine = new liveops.Engine(rules({ rewards: { ...DOCUMENT.rewards, ...WAITING } }))
  const [outcome] = engine.submitNdjson([event('e1', 'ana', 120), event('e2', 'bo', 250), event('e3', 'cy', 700)].join('\n'), { nowMs: NOW_MS })
  const cheaper = rules({ progress: { ...DOCUMENT.progress, ...progress }, rewards: { ...DOCUMENT.rewards, ...WAITING } })
  const ring = [{ id: '2026', secret: liveops.generateSecret() }]
  return { ...given(), engine, outcome, cheaper, next: cheaper, ring, crypto: globalThis.crypto }
}

/** Rules that watch, what happened under them, and a kill that is too fast. */
function watched () {
  const cheats = { kind: 'family', floors: { hydra: 45_000 }, action: { timeFloor: 'hold' } }
  const lines = Array.from({ length: 20_000 }, (_, n) => event(`h${n}`, `p${n % 400}`, 50 + n * 31 % 90, { ts: 1_700_000_000 + n * 7 + n % 5 }))
  const watching = rules({ detectors: { cheats } })
  const builder = new liveops.PopulationBuilder()
  builder.teachNdjson(watching, lines.join('\n'))
  const population = builder.finish()
  const { thresholds } = watching.withPopulation(population).calibrate('cheats', lines.join('\n'), { perPlayer: 0.003 })
  return { ...liveops, now: new Date(NOW_MS), watching, history: lines.join('\n'), fastKill: kill('e1', 'ana', 12_000), population, thresholds }
}

const AsyncFunction = (async () => {}).constructor

/** Runs a block; one that awaits as a promise. A line that ends with a comment in JSON has this value. */
function run (block, scope) {
  let checked = 0
  const same = (actual, expected) => {
    assert.deepEqual(actual, expected)
    checked++
  }
  const lines = block.split('\n').map((line) => {
    const [, code, told] = /^(\S.*?)\s+\/\/ (.*)$/.exec(line) ?? []
    const [, value] = /^(-?\d+|true|null|'[^']*'|\[.*\])(?:: .*)?$/.exec(told) ?? []
    return value === undefined ? line : `same(${code}, ${value})`
  })
  const Made = block.includes('await ') ? AsyncFunction : Function
  const done = new Made('same', ...Object.keys(scope), `'use strict'\n${lines.join('\n')}`)(same, ...Object.values(scope))
  return done instanceof Promise ? done.then(() => checked) : checked
}

const blocks = (text) => [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, block]) => block.replace(/^ \* ?/gm, '').replace(/^ {3}\* ?/gm, '').replace(/^import .*$/gm, ''))

describe('examples', () => {
  const about = (word) => blocks(TYPES).filter((block) => block.includes(word))

  test('of a Leaderboard', () => assert.equal(run(about('new Leaderboard')[0], given()), 3))
  test('of a WindowedLeaderboard', () => assert.equal(run(about('new WindowedLeaderboard')[0], given()), 1))

  test('of a Verifier', () => assert.equal(run(about('new Verifier')[0], given()), 3))
  test('of an Intake', () => assert.equal(run(about('new Intake')[0], given()), 2))
  test('of a RateLimiter', () => assert.equal(run(about('new RateLimiter')[0], given()), 4))
  test('of gcra', () => assert.equal(run(about('gcra(')[0], given()), 4))
  test('of an EventParser', () => {
    const { rules, ...scope } = given()
    assert.equal(run(about('new EventParser')[0], scope), 4)
  })

  test('of a LevelCurve', () => assert.equal(run(about('LevelCurve.table([0')[0], given()), 4))
  test('of a Progression', () => assert.equal(run(about('new Progression')[0], given()), 3))
  test('of a Streak', () => assert.equal(run(about('new Streak()')[0], given()), 4))
  test('of an Overflow', () => assert.equal(run(about('new Overflow()')[0], given()), 2))
  test('of planMigration', () => assert.equal(run(about('planMigration(steep')[0], given()), 3))
  test('of a Loot', () => assert.equal(run(about('new Loot')[0], given()), 3))
  test('of verifyChain', () => assert.equal(run(about('verifyChain(receipts')[0], changing()), 3))
  test('of a Family', () => assert.equal(run(about('new Family')[0], given()), 4))
  test('of a DropRate', () => assert.equal(run(about('new DropRate')[0], given()), 2))
  test('of migrations', () => assert.equal(run(about('engine.migrations(')[0], changing()), 2))

  // These read the clock: what they say is of a game whose last week was the one before this machine's present.
  test('of an engine, its boards, archives and payouts', () => {
    const scope = given()
    const lastWeek = Date.now() - 7 * 86_400_000
    const line = (player, deltaXp) => JSON.stringify({ id: 'e1', type: 'progression', playerId: player, ts: Math.floor(lastWeek / 1000), payload: { deltaXp } })
    const engine = new liveops.Engine(rules({ boards }))
    engine.submitNdjson([line('ana', 120), line('bo', 90)].join('\n'), { nowMs: lastWeek })
    const now = new Date()
    for (const word of ['engine.payout(', 'engine.payClosed(', 'board.at(', 'names.forget(']) {
      engine.advance({ now })
      run(about(word)[0], { ...scope, engine, now })
    }
    assert.equal(engine.receipts('ana').at(-1).reward, 'gold')
    assert.equal(scope.stored.length, 1)
  })

  test('of paying, in the README', () => {
    const scope = given()
    const [block] = blocks(read('README.md')).filter((block) => block.includes('engine.payClosed('))
    run(block, scope)
    assert.equal(scope.engine.receipts('ana').at(-1).reward, 'gold')
    const [[archive, names]] = scope.stored
    assert.equal(liveops.Archive.fromBytes(archive).read(liveops.Names.fromBytes(names)).rank('bo'), 2)
    const digest = scope.engine.digest()
    run(block, scope)
    assert.equal(scope.engine.digest(), digest, 'again, nothing is paid')
  })

  // Each stands alone, but for what these take from the ones before them.
  const seed = new Uint8Array(32).fill(7)
  const before = {
    migrations: { curve: liveops.LevelCurve.exponential(250, '1.2', { maxLevel: 60 }) },
    'rolls of an engine': { seed, commitment: liveops.seedCommitment(seed) }
  }
  for (const [what, word, checks] of [
    ['levels', 'new Progression', 12], ['migrations', 'planMigration(curve', 6], ['rewards', 'Command.claim', 9], ['loot', 'new Loot', 4],
    ['rolls of an engine', 'lootCommitment', 3]
  ]) {
    test(`of ${what}, in the README`, () => {
      const [block] = blocks(read('README.md')).filter((block) => block.includes(word))
      assert.equal(run(block, { ...changing(), ...before[what] }), checks)
    })
  }

  for (const [word, checks] of [['new PopulationBuilder', 7], ['new Hysteresis', 7]]) {
    test(`of cheaters, in the README: ${word}`, () => {
      const [block] = blocks(read('README.md')).filter((block) => block.includes(word))
      const { population, thresholds, ...scope } = watched()
      assert.equal(run(block, block.includes('const population') ? scope : { ...scope, population, thresholds }), checks)
    })
  }

  /** Events from now, and where files may be. */
  function present () {
    const intake = new liveops.Intake(rules(), { trusted: true })
    const events = ['e1', 'e2', 'e3'].map((id) => intake.admit({}, event(id, 'ana', 120, { ts: Math.floor(Date.now() / 1000) })))
    const folder = mkdtempSync(join(tmpdir(), 'liveops-'))
    after(() => rmSync(folder, { recursive: true }))
    return { ...liveops, rules: rules(), events, event: events[0], path: join(folder, 'game.db'), copy: join(folder, 'copy.db') }
  }

  test('of a SqliteStore', async () => assert.equal(await run(about('new SqliteStore')[0], present()), 3))

  test('of a file, in the README', async () => {
    const [block] = blocks(read('README.md')).filter((block) => block.includes('backupAsync'))
    const scope = present()
    assert.equal(await run(block, scope), 1)
    const copy = await liveops.Engine.open(scope.rules, { store: new liveops.SqliteStore(scope.copy) })
    assert.equal((await copy.playerAsync('ana')).xp, 360)
    await copy.closeAsync()
  })

  test('of a feed, in the README', () => {
    const [block] = blocks(read('README.md')).filter((block) => block.includes("engine.ack('inventory'"))
    const delivered = []
    assert.equal(run(block, { ...present(), deliver: (receipts) => delivered.push(...receipts) }), 1)
    assert.equal(delivered.length, 1)
  })

  test('of the door, in the README', () => {
    const [block] = blocks(read('README.md')).filter((block) => block.includes('verifyBatch'))
    assert.equal(run(block, given()), 12)
  })

  test('of lines by the thousand, in the README', async () => {
    const [block] = blocks(read('README.md')).filter((block) => block.includes('submitNdjsonAsync'))
    const delivered = []
    assert.equal(await run(block, { ...given(), engine: new liveops.Engine(rules()), deliver: (receipts) => delivered.push(...receipts) }), 2)
    assert.equal(delivered.length, 1)
  })

  test('of boards, in the README', () => {
    const [block] = blocks(read('README.md')).filter((block) => block.includes('submitBatch'))
    assert.ok(run(block, given()) >= 3)
  })
})

describe('index.d.ts', () => {
  const names = (pattern, text) => [...text.matchAll(pattern)].map(([, name]) => name)

  test('declares what there is, and nothing else', () => {
    assert.deepEqual(names(/^export (?:(?:abstract )?class|function|const) (\w+)/gm, TYPES).sort(), Object.keys(liveops).sort())
  })

  for (const [, name, members] of TYPES.matchAll(/^export (?:abstract )?class (\w+)[^\n]* \{(\n[\s\S]*?\n\}|.*\}$)/gm)) {
    test(`of ${name}`, () => {
      const own = (object) => Object.entries(Object.getOwnPropertyDescriptors(object)).filter(([key]) => key !== 'constructor')
      const methods = (object) => own(object).filter(([, { value }]) => typeof value === 'function').map(([key]) => key).sort()
      const getters = own(liveops[name].prototype).filter(([, { get }]) => get !== undefined).map(([key]) => key)
      assert.deepEqual([...new Set(names(/^ {2}(?!constructor\b)(\w+)\(/gm, members))].sort(), methods(liveops[name].prototype))
      assert.deepEqual(names(/^ {2}static (\w+)\(/gm, members).sort(), methods(liveops[name]))
      const fields = names(/^ {2}readonly (\w+)\??:/gm, members)
      for (const getter of getters) assert.ok(fields.includes(getter), getter)
    })
  }
})
