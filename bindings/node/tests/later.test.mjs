// Verbs as promises: of any store, in order, without holding the event loop; closed while some wait.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { Command, Engine, Intake, Outcome, Outcomes } from '../index.mjs'
import { NOW_MS, event, rules } from './game.mjs'

const at = { nowMs: NOW_MS }
const LINES = [event('e1', 'ana', 150), event('e2', 'bo', 120), event('e3', 'cy', 40)].join('\n')

const adjust = (id, xp = 1, player = 'ana') => Command.adjust({ id, player, xp, reason: 'r', ...at })

describe('a verb as a promise', () => {
  test('answers as it does at once', async () => {
    const [one, other] = [new Engine(rules(), { feed: 10 }), new Engine(rules(), { feed: 10 })]
    const both = async (verb, ...args) => {
      const answer = await other[`${verb}Async`](...args)
      assert.deepEqual(answer, one[verb](...args), verb)
      return answer
    }
    assert.deepEqual((await other.submitNdjsonAsync(LINES, at)).counts(), one.submitNdjson(LINES, at).counts())
    for (const [verb, ...args] of [
      ['player', 'ana'], ['player', 'nobody'], ['playersPage', null, 2], ['receipts', 'ana'], ['receiptsPage', 'ana'], ['claimable', 'ana', at], ['chainHead', 'ana'],
      ['explain', 'ana', at], ['exportPlayer', 'ana'], ['exportPlayerPage', 'ana', null, 2], ['suspicionsPage'], ['suspicionsNdjson'], ['suspicionsNdjsonPage'], ['advance', at], ['horizon'], ['digest'],
      ['size'], ['feedPage'], ['last'], ['ack', 'inventory'], ['consumers'], ['dropConsumer', 'inventory'], ['planMigration', rules()], ['payClosed', null, at],
      ['replaceRules', rules({ limits: { maxPastSeconds: 60 } })]
    ]) await both(verb, ...args)
    assert.deepEqual(Buffer.from(await other.snapshotAsync()), Buffer.from(one.snapshot()))
    const { items, next } = await other.migrationsPageAsync(null, 2, at)
    assert.deepEqual([items, typeof next], [[], 'string'])
    const board = other.board('xp')
    await assert.rejects(board.archiveAsync('daily', at), { code: 'period_open' })
    await assert.rejects(other.payoutAsync('no', 'daily', at), { code: 'unknown_board' })
  })

  test('walks as it does at once', async () => {
    const engine = new Engine(rules(), { feed: 10_000 })
    const players = Array.from({ length: 2_500 }, (_, n) => `p${n}`)
    engine.submitNdjson(players.map((player) => event('e1', player, 5)).join('\n'), at)
    const walked = await Array.fromAsync?.(engine.playersAsync()) ?? await all(engine.playersAsync())
    assert.deepEqual(walked, [...engine.players()])
    assert.deepEqual(walked.map(({ playerId }) => playerId).sort(), players.toSorted?.() ?? [...players].sort())
    assert.deepEqual(await all(engine.feedAsync()), [...engine.feed()])
    assert.equal([...engine.feed()].length, 2_500)
    assert.deepEqual(await all(engine.suspicionsAsync()), [])
    assert.deepEqual(await all(engine.suspicionsAsync('p1')), [])
    assert.deepEqual(await all(engine.migrationsAsync(at)), [])
    const pages = []
    for (let next = null; ;) {
      const page = engine.playersPage(next, 1_000)
      pages.push(page.items.length)
      if ((next = page.next) === null) break
    }
    assert.equal(pages.reduce((sum, len) => sum + len), 2_500)
    const { next } = engine.playersPage(null, 1)
    for (const wrong of ['', 'zz', next.slice(1)]) assert.throws(() => engine.playersPage(wrong), { code: 'cursor_invalid' })
    assert.throws(() => engine.suspicionsPage(next), { code: 'cursor_invalid' }, 'of another listing')
  })

  test('refuses what is wrong as a rejection, and never by throwing', async () => {
    const engine = new Engine(rules())
    for (const [verb, ...args] of [['player', 7], ['submit', {}], ['submitBatch', 7], ['submitNdjson', 7], ['advance', 7], ['feedPage', 'x'], ['ack', 'not an id!'], ['playersPage', null, 0.5]]) {
      await assert.rejects(engine[`${verb}Async`](...args), { code: /^(invalid_argument|cursor_invalid|id_invalid)$/ }, verb)
    }
  })
})

/** What an async iterator gives. Array.fromAsync came with Node 22. */
async function all (iterator) {
  const values = []
  for await (const value of iterator) values.push(value)
  return values
}

describe('submits that wait', () => {
  test('are decided in the order of the calls, those of one turn together', async () => {
    const engine = new Engine(rules())
    const batches = Array.from({ length: 50 }, (_, n) => engine.submitBatchAsync([adjust(`a${n}`), null, adjust(`a${Math.floor(n / 2)}`)]))
    const outcomes = await Promise.all(batches)
    for (const [n, batch] of outcomes.entries()) {
      assert.ok(batch instanceof Outcomes)
      assert.deepEqual(Array.from(batch, ({ code }) => code), ['applied', 'invalid_argument', 'replayed'], `${n}`)
    }
    assert.equal(engine.player('ana').xp, 50)
    const [batch, one] = await Promise.all([engine.submitBatchAsync([adjust('twice')]), engine.submitAsync(adjust('twice'))])
    assert.deepEqual([batch.at(0).code, one.code], ['applied', 'replayed'])
    assert.ok(await engine.submitAsync(adjust('last')) instanceof Outcome)
    assert.equal((await engine.submitBatchAsync([])).length, 0)
    assert.equal((await engine.submitNdjsonAsync('', at)).length, 0)
  })

  test('do not hold the event loop, and keep it alive', () => {
    const script = `
      import { Engine, Rules } from ${JSON.stringify(new URL('../index.mjs', import.meta.url).href)}
      import { event, rules } from ${JSON.stringify(new URL('./game.mjs', import.meta.url).href)}
      const engine = new Engine(rules())
      const lines = Array.from({ length: 50_000 }, (_, n) => event('e' + n, 'p' + n % 1000, 1)).join('\\n')
      let turns = 0
      const counting = setInterval(() => turns++, 1).unref()
      engine.submitNdjsonAsync(lines, { nowMs: ${NOW_MS} }).then((outcomes) => console.log(outcomes.counts().applied, turns > 2))`
    assert.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }), '50000 true\n')
  })

  test('are answered before the engine is closed, and refused from then on', async () => {
    for (const close of ['close', 'closeAsync']) {
      const engine = new Engine(rules())
      const board = engine.board('xp')
      const waiting = Array.from({ length: 100 }, (_, n) => engine.submitBatchAsync([adjust(`a${n}`)]))
      const reading = Promise.allSettled([engine.digestAsync(), engine.playerAsync('ana')])
      const closed = engine[close]()
      for (const work of [() => engine.submit(adjust('b')), () => board.top('daily'), () => engine.stats()]) assert.throws(work, { code: 'closed' })
      await assert.rejects(engine.submitBatchAsync([adjust('b')]), { code: 'closed' })
      await closed
      for (const outcomes of await Promise.all(waiting)) assert.equal(outcomes.at(0).code, 'applied')
      for (const { status, value, reason } of await reading) assert.ok(status === 'fulfilled' ? value !== undefined : reason.code === 'closed')
      await engine.closeAsync()
      engine.close()
    }
  })

  test('of an engine that nobody holds any more are answered', async () => {
    const outcomes = await new Engine(rules()).submitBatchAsync([adjust('a')])
    assert.equal(outcomes.at(0).code, 'applied')
  })
})

test('an engine is what its options say', async () => {
  const first = new Engine(rules())
  first.submitNdjson(LINES, at)
  const snapshot = first.snapshot()
  for (const engine of [new Engine(rules(), { snapshot }), await Engine.open(rules(), { snapshot }), Engine.restore(rules(), snapshot), new Engine(rules(), { snapshot, feed: 5, recording: true })]) {
    assert.equal(engine.digest(), first.digest())
    assert.equal(engine.board('xp').at('daily', at).rank('bo'), 2)
    assert.equal(engine.rules.hash, rules().hash)
  }
  await assert.rejects(Engine.open(rules(), { snapshot: Buffer.from('none') }), { name: 'StoreError', code: 'store_corrupt' })
  await assert.rejects(Engine.open({}), { code: 'invalid_argument' })
  const other = rules({ game: 'other' })
  assert.throws(() => new Engine(other, { snapshot }), { code: 'store_misconfigured' })
})

test('what is recorded decides alike in another engine', () => {
  const engine = new Engine(rules(), { feed: 100, recording: true })
  engine.advance(at)
  engine.submitNdjson(LINES, at)
  const intake = new Intake(rules(), { trusted: true, quotas: false })
  engine.submit(intake.admit({}, event('e4', 'ana', 500), at))
  engine.submitBatch([adjust('a1', 5), adjust('a2', 7, 'bo')])
  const twin = new Engine(rules())
  for (const entry of engine.feed()) {
    if (entry.kind === 'advanced') twin.advance({ nowMs: entry.now, far: true })
    else {
      assert.equal(entry.run.rules, engine.rules.identity)
      assert.deepEqual(entry.run.horizon, engine.horizon())
      for (const outcome of twin.submitBatch(entry.run.commands)) outcome.unwrap()
    }
  }
  assert.equal(twin.digest(), engine.digest())
})
