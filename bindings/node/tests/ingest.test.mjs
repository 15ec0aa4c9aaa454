// Lines by the thousand: on the event loop or off it, on any number of threads, to the same outcomes.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Command, Engine, Outcomes } from '../index.mjs'
import { NOW_MS, event, rules } from './game.mjs'

const at = { nowMs: NOW_MS }

/** Lines of many players, with what comes twice, what is no event, and empty ones in between. */
function mixed (lines, seed = 1) {
  return Array.from({ length: lines }, (_, n) => {
    if (n % 97 === 0) return ''
    if (n % 89 === 0) return 'nonsense'
    if (n % 83 === 0) return event(`e${n}`, `p${n % 211}`, -1)
    // Every eleventh is the one before once more.
    const id = n % 11 === 0 ? n - 1 : n
    return event(`e${seed}-${id}`, `p${id % 211}`, id % 50)
  }).join('\n')
}

const told = (outcomes) => JSON.stringify(outcomes)

describe('lines by the thousand', () => {
  const lines = mixed(10_000)
  const plain = new Engine(rules())
  const expected = plain.submitNdjson(lines, at)

  for (const threads of [1, 2, 3, 8, 64]) {
    test(`on ${threads} threads have the outcomes that they have on one`, async () => {
      for (const verb of ['submitNdjson', 'submitNdjsonAsync']) {
        const engine = new Engine(rules())
        const outcomes = await engine[verb](lines, { ...at, threads })
        assert.ok(outcomes instanceof Outcomes)
        assert.equal(outcomes.length, 10_000)
        assert.deepEqual(outcomes.counts(), expected.counts())
        assert.equal(told(outcomes), told(expected))
        assert.equal(engine.digest(), plain.digest())
        const again = await engine[verb](lines, { ...at, threads })
        assert.deepEqual(Object.keys(again.counts()).filter((code) => code === 'applied'), [])
      }
    })
  }

  test('are rows when they are looked at, by index, stretch and iteration', () => {
    const rows = [...expected]
    assert.deepEqual(rows.map(({ code }) => code), JSON.parse(told(expected)).map(({ code }) => code))
    for (const [from, until] of [[], [0, 3], [9_990], [-2], [5, -9_990], [7, 7], [9, 3], [-20_000, 20_000], [3n, 5n], [undefined, 2]]) {
      assert.equal(told(expected.slice(from, until)), told(rows.slice(...[from, until].map((end) => end === undefined ? end : Number(end)))), `${from}..${until}`)
    }
    for (const wrong of [null, '1', 1.5, NaN]) {
      assert.throws(() => expected.slice(wrong), { code: 'invalid_argument' })
      assert.throws(() => expected.slice(0, wrong), { code: 'invalid_argument' })
    }
    assert.equal(told(expected.at(-1)), told(rows.at(-1)))
    assert.equal(expected.at(10_000), undefined)
  })

  test('refuse a number of threads that is none', async () => {
    const engine = new Engine(rules())
    for (const [threads, code] of [[0, 'out_of_range'], [65, 'out_of_range'], [-1, 'out_of_range'], [2 ** 32 + 1, 'out_of_range'], [1.5, 'invalid_argument'], ['2', 'invalid_argument'], [null, 'invalid_argument'], [NaN, 'invalid_argument']]) {
      assert.throws(() => engine.submitNdjson(lines, { ...at, threads }), { code }, String(threads))
      await assert.rejects(engine.submitNdjsonAsync(lines, { ...at, threads }), { code }, String(threads))
    }
    await assert.rejects(engine.submitNdjsonAsync(lines, { ...at, thread: 2 }), { code: 'invalid_argument' })
    await assert.rejects(engine.submitNdjsonAsync(7, at), { code: 'invalid_argument' })
    assert.equal(engine.stats().applied ?? 0, 0)
    assert.equal((await engine.submitNdjsonAsync(lines, { ...at, threads: undefined })).length, 10_000)
  })
})

describe('lines off the event loop', () => {
  test('leave it to others', async () => {
    const engine = new Engine(rules())
    let [turns, done] = [0, false]
    const ingest = engine.submitNdjsonAsync(mixed(50_000), at).finally(() => { done = true })
    while (!done) {
      await setImmediate()
      turns++
    }
    assert.ok((await ingest).counts().applied > 40_000)
    assert.ok(turns > 20, `${turns} turns`)
  })

  test('are those of the call, whatever becomes of their memory', async () => {
    const text = mixed(5_000)
    const expected = told(new Engine(rules()).submitNdjson(text, at))
    const wiped = { Buffer: Buffer.from(text), ArrayBuffer: new Uint8Array(Buffer.from(text)).buffer, SharedArrayBuffer: new Uint8Array(new SharedArrayBuffer(Buffer.byteLength(text))) }
    wiped.SharedArrayBuffer.set(Buffer.from(text))
    for (const [name, lines] of Object.entries(wiped)) {
      const ingest = new Engine(rules()).submitNdjsonAsync(lines, { ...at, threads: 2 })
      new Uint8Array(lines.buffer ?? lines).fill(0x20)
      assert.equal(told(await ingest), expected, name)
    }
    const { buffer } = new Uint8Array(Buffer.from(text))
    const ingest = new Engine(rules()).submitNdjsonAsync(buffer, at)
    structuredClone(buffer, { transfer: [buffer] })
    assert.equal(told(await ingest), expected)
  })

  test('count once, however many calls wait at the same time', async () => {
    const engine = new Engine(rules())
    const batch = (n) => Array.from({ length: 500 }, (_, at) => event(`e${at}`, `p${n}`, 1)).join('\n')
    const adjust = Command.adjust({ id: 'a', player: 'p0', xp: 7, reason: 'r', ...at })
    const ingests = Array.from({ length: 60 }, (_, n) => engine.submitNdjsonAsync(batch(n % 20), { ...at, threads: 1 + n % 4 }))
    const [one, ...rest] = await Promise.all([engine.submitAsync(adjust), ...ingests])
    assert.equal(one.code, 'applied')
    const applied = rest.map((outcomes) => outcomes.counts().applied ?? 0)
    const replayed = rest.map((outcomes) => outcomes.counts().replayed ?? 0)
    assert.ok(applied.every((count, n) => count + replayed[n] === 500))
    for (let n = 0; n < 20; n++) {
      assert.equal(applied[n] + applied[n + 20] + applied[n + 40], 500)
      assert.equal(engine.player(`p${n}`).xp, n === 0 ? 507 : 500)
    }
  })

  test('are decided in the order in which they are awaited', async () => {
    const engine = new Engine(rules())
    for (let n = 0; n < 20; n++) {
      const outcomes = await engine.submitNdjsonAsync(Array.from({ length: 64 }, (_, at) => event(`e${n}-${at}`, 'ana', 1)).join('\n'), { ...at, threads: 4 })
      const xp = Array.from(outcomes, (_, at) => 64 * n + at + 1)
      assert.deepEqual(Array.from(outcomes, ({ effect }) => effect.level), xp.map((total) => [0, 100, 300, 600].filter((least) => total >= least).length))
    }
  })

  test('are answered before an engine is closed, and refused from then on', async () => {
    for (const close of ['close', 'closeAsync']) {
      const engine = new Engine(rules())
      const ingests = Array.from({ length: 5 }, (_, n) => engine.submitNdjsonAsync(mixed(5_000, n), { ...at, threads: 2 }))
      const closed = engine[close]()
      await assert.rejects(engine.submitNdjsonAsync('', at), { code: 'closed' })
      await closed
      for (const outcomes of await Promise.all(ingests)) {
        assert.equal(outcomes.length, 5_000)
        assert.equal(outcomes.counts().closed, undefined)
        outcomes.close()
        for (const work of [() => outcomes.counts(), () => outcomes.at(0), () => outcomes.slice(), () => [...outcomes]]) assert.throws(work, { code: 'closed' })
      }
    }
  })

  test('of an engine that nobody holds any more are answered', async () => {
    const outcomes = await new Engine(rules()).submitNdjsonAsync(mixed(20_000), { ...at, threads: 2 })
    assert.equal(outcomes.length, 20_000)
  })
})
