import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Command, Engine, Intake, LiveopsError, Outcome, Outcomes, Refusal, Rules, StoreError } from '../index.mjs'
import { DOCUMENT, NOW_MS, event, kill, rules } from './game.mjs'

const at = { nowMs: NOW_MS }
const door = new Intake(rules(), { trusted: true, quotas: false })
const admit = (body) => door.admit({}, body, at)

/** Three players: 150, 120 and 90. */
function played (options) {
  const engine = new Engine(rules(), options)
  // One after the other: of several players in one batch the feed keeps no order.
  for (const line of [event('e1', 'ana', 150), event('e2', 'bo', 120), event('e3', 'cy', 90)]) engine.submitNdjson(line, at)
  return engine
}

describe('submit', () => {
  test('applies once, then replays the first outcome', () => {
    const engine = new Engine(rules())
    const first = engine.submit(admit(event('e1', 'ana', 150)))
    assert.ok(first instanceof Outcome)
    assert.deepEqual([first.status, first.code, first.httpStatus, first.headers(), first.error], ['applied', 'applied', 202, {}, null])
    assert.deepEqual([first.unwrap().level, first.effect.xp.granted, first.effect.receipts.length], [2, 150, 1])
    const again = engine.submit(admit(event('e1', 'ana', 150)))
    assert.deepEqual([again.status, again.effect], ['replayed', first.effect])
    assert.deepEqual(again.headers(), { 'Idempotent-Replayed': 'true' })
    assert.deepEqual(JSON.parse(JSON.stringify(again)).effect, first.effect)
    assert.equal(engine.player('ana').xp, 150)
  })

  test('does not throw for a refusal; unwrap does', () => {
    const engine = played()
    const reused = engine.submit(admit(event('e1', 'ana', 1)))
    assert.deepEqual([reused.status, reused.code, reused.effect, reused.httpStatus], ['refused', 'event_id_reused', null, 409])
    assert.throws(() => reused.unwrap(), (error) => error instanceof Refusal && error.httpStatus === 409 && error.problem().code === 'event_id_reused')
  })

  test('submitAsync is always a promise', async () => {
    const engine = new Engine(rules())
    const promise = engine.submitAsync(admit(event('e1', 'ana', 150)))
    assert.ok(promise instanceof Promise)
    assert.equal((await promise).status, 'applied')
    await assert.rejects(engine.submitAsync({}), { name: 'TypeError', code: 'invalid_argument' })
  })

  test('takes commands only: a parsed body has passed no door', () => {
    for (const no of [undefined, null, {}, JSON.parse(event('e1', 'ana', 1)), Object.create(Command.prototype), 'e1']) {
      assert.throws(() => new Engine(rules()).submit(no), { name: 'TypeError', code: 'invalid_argument' })
    }
  })
})

describe('batches', () => {
  test('a bad row is refused by itself', () => {
    const outcomes = new Engine(rules()).submitBatch([admit(event('e1', 'ana', 5)), null, {}, admit(event('e1', 'ana', 5)), 7])
    assert.deepEqual([...outcomes].map((outcome) => outcome.code), ['applied', 'invalid_argument', 'invalid_argument', 'replayed', 'invalid_argument'])
    assert.equal(new Engine(rules()).submitBatch([]).length, 0)
  })

  test('lines are decided on the native side and looked at on demand', () => {
    const lines = Array.from({ length: 1000 }, (_, n) => event(`e${n}`, `p${n % 7}`, 1))
    lines[500] = '{"type"'
    const outcomes = new Engine(rules()).submitNdjson(Buffer.from(lines.join('\n') + '\n'), at)
    assert.ok(outcomes instanceof Outcomes)
    assert.equal(outcomes.length, 1000)
    assert.deepEqual(outcomes.counts(), { applied: 999, syntax: 1 })
    assert.equal([...outcomes].length, 1000)
    assert.equal([...outcomes].findIndex((outcome) => outcome.code === 'syntax'), 500)
    assert.equal(outcomes.find((outcome) => outcome.status === 'refused').error.issues[0].code, 'syntax')
    assert.equal(outcomes.find(() => false), undefined)
    assert.equal(outcomes.at(500).code, 'syntax')
    assert.equal(outcomes.at(-1).status, 'applied')
    assert.deepEqual([outcomes.at(1000), outcomes.at(-1001)], [undefined, undefined])
    assert.throws(() => outcomes.at(1.5), TypeError)
  })

  test('text, bytes, views into buffers and shared memory say the same', () => {
    const text = event('e1', 'ana', 5)
    const bytes = Buffer.from(`  ${text}  `)
    const shared = new Uint8Array(new SharedArrayBuffer(text.length))
    shared.set(Buffer.from(text))
    for (const lines of [text, Buffer.from(text), new Uint8Array(Buffer.from(text)), bytes.subarray(2, -2), shared]) {
      assert.equal(new Engine(rules()).submitNdjson(lines, at).at(0).code, 'applied')
    }
    assert.equal(new Engine(rules()).submitNdjson(new Uint8Array(0), at).length, 0)
  })

  test('however it is cut, the state is the same', () => {
    const lines = Array.from({ length: 50 }, (_, n) => event(`e${n}`, `p${n % 7}`, n))
    const digests = [1, 7, 50].map((size) => {
      const engine = new Engine(rules())
      for (let from = 0; from < lines.length; from += size) {
        engine.submitBatch(lines.slice(from, from + size).map(admit))
      }
      return engine.digest()
    })
    const engine = new Engine(rules())
    engine.submitNdjson(lines.join('\n'), at)
    assert.deepEqual(new Set(digests), new Set([engine.digest()]))
  })
})

describe('operators', () => {
  const order = { player: 'ana', nowMs: NOW_MS }

  test('adjust corrects a total, once', () => {
    const engine = played()
    const adjust = () => Command.adjust({ ...order, id: 'a1', xp: -60n, reason: 'counted twice' })
    assert.equal(engine.submit(adjust()).unwrap().adjusted, -60)
    assert.equal(engine.submit(adjust()).status, 'replayed')
    assert.equal(engine.player('ana').xp, 90)
    const later = Command.adjust({ id: 'a1', player: 'ana', xp: -60, reason: 'counted twice', ts: new Date(NOW_MS), nowMs: NOW_MS + 5 })
    assert.equal(engine.submit(later).status, 'replayed', 'a retry carries the first ts')
    assert.deepEqual(adjust().toJSON(), {
      id: 'a1', origin: 'operator', playerId: 'ana', ts: NOW_MS, receivedAt: NOW_MS, action: 'adjust', xp: -60, reason: 'counted twice'
    })
  })

  test('review releases what was held', () => {
    const engine = new Engine(rules())
    const held = engine.submit(admit(kill('k1', 'ana', 100)))
    assert.deepEqual([held.status, held.code], ['applied', 'held'])
    const [suspicion] = engine.suspicions('ana')
    assert.deepEqual([suspicion.number, suspicion.playerId, suspicion.settled, suspicion.event.id], [held.effect.held, 'ana', 'open', 'k1'])
    assert.deepEqual([...engine.suspicions()], [suspicion])
    const review = { ...order, id: 'r1', suspicion: suspicion.number, ruling: 'release' }
    assert.equal(engine.submit(Command.review(review)).status, 'applied')
    assert.equal([...engine.suspicions('ana')][0].settled, 'released')
    assert.equal(engine.submit(Command.review({ ...review, id: 'r2' })).code, 'suspicion_settled')
    assert.throws(() => Command.review({ ...review, ruling: 'ban' }), RangeError)
  })

  test('held events wait, and of too many rewards that wait the oldest is given', () => {
    const engine = new Engine(Rules.fromJson(JSON.stringify({
      version: 1,
      game: 'g',
      detectors: { floor: { kind: 'timeFloor', boss: 'hydra', minimumMs: 1000, action: 'hold' } },
      rewards: { crate: { on: { event: 'progression' }, grant: { kind: 'item', id: 'crate', amount: 1 }, claimWithinSeconds: 60 } }
    })))
    const line = (n, type, payload) => JSON.stringify({ id: `${type}-${n}`, type, playerId: 'ana', ts: NOW_MS / 1000, payload })
    const many = (type, payload) => Array.from({ length: 300 }, (_, n) => line(n, type, payload)).join('\n')
    const kills = engine.submitNdjson(many('boss_kill', { bossId: 'hydra', durationMs: 5 }), at)
    assert.deepEqual({ ...kills.counts() }, { held: 256, holds_full: 44 })
    assert.equal([...engine.suspicions('ana')].length, 256)
    const outcomes = engine.submitNdjson(many('progression', { deltaXp: 0 }), at)
    const given = [...outcomes].flatMap((outcome) => outcome.unwrap().receipts)
    assert.deepEqual(given.map(({ number, state }) => [number, state]), Array.from({ length: 44 }, (_, n) => [n + 1, 'claimed']))
    assert.equal(engine.claimable('ana', at).length, 256)
  })

  test('visibility and erasure', () => {
    const engine = played()
    engine.submit(Command.setVisibility({ ...order, id: 'v1', hidden: true })).unwrap()
    assert.equal(engine.board('xp').at('daily', at).rank('ana'), null)
    engine.submit(Command.setVisibility({ ...order, id: 'v2', hidden: false })).unwrap()
    assert.equal(engine.board('xp').at('daily', at).rank('ana'), 1)
    assert.equal(engine.exportPlayer('ana').record.xp, 150)
    engine.submit(Command.erase({ ...order, id: 'x1' })).unwrap()
    assert.equal(engine.player('ana'), null)
    assert.deepEqual(engine.receipts('ana'), [])
    assert.throws(() => Command.setVisibility({ ...order, id: 'v3', hidden: 1 }), TypeError)
  })
})

describe('reading', () => {
  test('everything about a player, part by part', () => {
    const engine = played()
    const whole = engine.exportPlayer('ana')
    const parts = { playerId: 'ana', record: null, receipts: [], suspicions: [], outcomes: [] }
    let [cursor, pages] = [null, 0]
    do {
      const { next, ...part } = engine.exportPlayerPage('ana', cursor, 1)
      parts.record = part.record ?? parts.record
      for (const kind of ['receipts', 'suspicions', 'outcomes']) parts[kind].push(...part[kind])
      cursor = next
      pages++
    } while (cursor !== null)
    assert.deepEqual(parts, whole)
    assert.ok(pages > 1 && whole.receipts.length > 0)
    assert.ok(Object.isFrozen(engine.exportPlayerPage('ana').record))
    assert.deepEqual(engine.exportPlayerPage('nobody').record, null)
    const of = engine.exportPlayerPage('ana', null, 1).next
    for (const work of [() => engine.exportPlayerPage('bo', of), () => engine.exportPlayerPage('ana', 'x')]) assert.throws(work, { code: 'cursor_invalid' })
  })

  test('the horizon before the first advance is a time like any other', () => {
    const engine = new Engine(rules())
    const { now } = engine.horizon()
    assert.equal(now, -(2 ** 63))
    assert.deepEqual([...engine.closedBetween(now, now)], [])
    assert.deepEqual([...engine.closedBetween(now, NOW_MS)], [], 'there was no mark')
    assert.deepEqual([...engine.rules.calendar.closedBetween(['daily'], now, now)], [])
    assert.deepEqual(engine.advance({ nowMs: now, far: true }), engine.horizon())
    assert.equal(engine.horizon().now, now)
    assert.deepEqual(engine.payClosed(now, at).periods, engine.payClosed(null, at).periods)
    assert.throws(() => engine.closedBetween(now - 4096, NOW_MS), { code: 'out_of_range' })
  })

  test('a board shows the rule in force', () => {
    const engine = new Engine(rules())
    const board = engine.board('xp')
    const before = board.windows
    const keepPeriods = { ...DOCUMENT.boards.xp.keepPeriods, monthly: 2 }
    engine.replaceRules(rules({ boards: { xp: { ...DOCUMENT.boards.xp, keepPeriods, ranking: 'dense' } } }))
    assert.deepEqual([...board.windows].sort(), [...before, 'monthly'].sort())
    assert.equal(board.ranking, 'dense')
  })

  test('players, receipts and counts', () => {
    const engine = played()
    assert.deepEqual(engine.player('ana'), { playerId: 'ana', xp: 150, level: 2, intoLevel: 50, toNext: 150, hidden: false, receipts: 1, version: 1 })
    assert.equal(engine.player('nobody'), null)
    assert.deepEqual(engine.receipts('ana').map(({ number, reward, scope }) => ({ number, reward, scope })), [{ number: 1, reward: 'level-gold', scope: { level: 2 } }])
    assert.deepEqual(engine.stats(), { applied: 3, commands: 3 })
    assert.equal(engine.size().players, 3)
  })

  test('results are frozen to the bottom', () => {
    const [row] = played().board('xp').top('daily', 1, at)
    assert.throws(() => { row.score = 1 }, TypeError)
    assert.throws(() => played().receipts('ana')[0].items.push(1), TypeError)
    const outcome = played().submit(admit(event('e9', 'ana', 1)))
    assert.throws(() => { outcome.status = 'x' }, TypeError)
    assert.throws(() => { outcome.effect.xp.granted = 9 }, TypeError)
  })

  test('boards', () => {
    const engine = played()
    const board = engine.board('xp')
    const daily = board.at('daily', at)
    const ids = (rows) => rows.map((row) => row.playerId)
    assert.deepEqual([board.windows, board.order, board.operator, board.ties, board.ranking], [['daily', 'weekly', 'allTime'], 'desc', 'incr', 'firstToReach', 'ordinal'])
    assert.deepEqual(board.top('daily', 2, at).map(({ rank, playerId, score }) => [rank, playerId, score]), [[1, 'ana', 150], [2, 'bo', 120]])
    assert.deepEqual(ids(board.at('weekly', at).page(1, 5)), ['bo', 'cy'])
    assert.deepEqual(ids(board.of(board.period('weekly', at)).page(1, 5)), ['bo', 'cy'])
    assert.deepEqual(ids(board.at('daily', { nowMs: NOW_MS + 86_400_000, earlier: 1 }).page(0, 5)), ['ana', 'bo', 'cy'])
    assert.deepEqual(ids(board.top('daily', 5, { now: new Date(NOW_MS + 86_400_000) })), [])
    assert.deepEqual(ids(daily.around('bo', 1)), ['ana', 'bo', 'cy'])
    assert.deepEqual(ids(daily.byOwners(['cy', 'ana', 'nobody'])), ['ana', 'cy'])
    assert.deepEqual([daily.rank('cy'), daily.rank('nobody')], [3, null])
    assert.deepEqual([daily.countAbove(100), daily.length, daily.board, daily.period, board.name], [2, 3, 'xp', board.period('daily', at), 'xp'])
    assert.throws(() => engine.board('no'), (error) => error instanceof LiveopsError && error.code === 'unknown_board' && error.httpStatus === 404)
    assert.throws(() => Engine.restore(rules(), Buffer.from('none')), { name: 'StoreError', code: 'store_corrupt', httpStatus: 500 })
    assert.throws(() => Rules.fromJson('{}'), { name: 'RulesError', code: 'rules_invalid', httpStatus: 500 })
    assert.throws(() => board.top('monthly', 1, at), (error) => error instanceof LiveopsError && error.code === 'unknown_window')
    assert.throws(() => board.top('hourly', 1, at), { name: 'RangeError', code: 'unknown_window' })
  })
})

describe('the state as a whole', () => {
  test('advance moves one way and closes periods', () => {
    const engine = played()
    assert.deepEqual(engine.advance(at), { now: NOW_MS, forgottenBefore: NOW_MS - 86_400_000 })
    assert.equal(engine.advance({ now: new Date(0) }).now, NOW_MS)
    const closed = [...engine.closedBetween(NOW_MS, new Date(NOW_MS + 2 * 86_400_000))]
    assert.deepEqual(closed.map(({ window, label }) => `${window} ${label}`), ['daily 2026-11-07', 'daily 2026-11-08', 'weekly 2026-W45'])
    const [first] = engine.closedBetween(new Date('0001-01-01'), Number.MAX_SAFE_INTEGER)
    assert.equal(first.label, '0001-01-01', 'made as they are taken')
  })

  test('a wrong clock moves nothing', () => {
    const engine = new Engine(rules())
    const [clock, month] = [Date.now(), 31 * 86_400_000]
    engine.advance({ nowMs: clock - 3 * month })
    const digest = engine.digest()
    for (const [wrong, code, message] of [[clock * 1000, 'clock_unit', /microseconds/], [Math.floor(clock / 1000), 'clock_unit', /seconds/], [clock + month + 60_000, 'clock_jump', /31 days/]]) {
      assert.throws(() => engine.advance({ nowMs: wrong }), { name: 'LiveopsError', code, message })
    }
    assert.throws(() => engine.advance({ nowMs: BigInt(clock) * 1_000_000n }), { code: 'out_of_range' }, 'no number holds nanoseconds')
    assert.equal(engine.digest(), digest)
    assert.ok(engine.advance().now >= clock, 'three months asleep are no fault')
    const { now } = engine.horizon()
    assert.equal(engine.advance({ nowMs: clock - 1 }).now, now)
    assert.equal(engine.advance({ nowMs: clock + month, far: false }).now, clock + month)
    assert.equal(engine.advance({ nowMs: clock + 4 * month, far: true }).now, clock + 4 * month)
    for (const far of [1, 'yes', null]) assert.throws(() => engine.advance({ ...at, far }), { code: 'invalid_argument' })
  })

  test('the way back takes nothing in twice', () => {
    const engine = new Engine(rules())
    const one = (line, nowMs) => engine.submitNdjson(line, { nowMs }).at(0).code
    assert.equal(one(event('e1', 'ana', 120), NOW_MS), 'applied')
    engine.advance({ nowMs: NOW_MS + 10_000 * 86_400_000, far: true })
    const later = NOW_MS + 60_000
    const missed = event('e2', 'ana', 5, { ts: later / 1000 })
    assert.equal(one(missed, later), 'too_old')
    const back = Engine.restore(rules(), engine.snapshot(), { at: new Date(later) })
    assert.deepEqual(back.advance({ nowMs: later }), { now: later, forgottenBefore: NOW_MS + 1 })
    const again = (line) => back.submitNdjson(line, { nowMs: later }).at(0).code
    assert.deepEqual([again(event('e1', 'ana', 120)), again(missed), again(missed)], ['too_old', 'applied', 'replayed'])
    for (const wrong of ['x', 0.5, null]) assert.throws(() => Engine.restore(rules(), engine.snapshot(), { at: wrong }), { code: 'invalid_argument' })
    assert.throws(() => new Engine(rules(), { at: later }), { code: 'invalid_argument' })
  })

  test('a snapshot restores to the same digest and goes on alike', () => {
    const engine = played()
    const bytes = engine.snapshot()
    assert.ok(bytes instanceof Uint8Array)
    const copy = Engine.restore(rules(), bytes)
    for (const one of [engine, copy]) one.submitNdjson(event('e4', 'bo', 500), at)
    assert.equal(copy.digest(), engine.digest())
    assert.match(copy.digest(), /^v1:[0-9a-f]{64}$/)
    bytes[40] ^= 1
    assert.throws(() => Engine.restore(rules(), bytes), (error) => error instanceof StoreError && error.code === 'store_corrupt')
  })

  test('the feed keeps what was committed until it is acknowledged', () => {
    const engine = played({ feed: 3 })
    assert.equal(engine.submit(admit(event('e4', 'ana', 1))).code, 'feed_full')
    const { items: entries, next } = engine.feedPage(null, 2)
    assert.deepEqual(entries.map(({ kind, playerId }) => [kind, playerId]), [['committed', 'ana'], ['committed', 'bo']])
    assert.deepEqual([entries[0].receipts.length, entries[0].xp, entries[0].outcomes[0].id.id, entries[0].run], [1, 150, 'e1', undefined])
    assert.equal(next, entries[1].cursor)
    engine.ack('inventory', next)
    assert.deepEqual(engine.consumers(), [{ consumer: 'inventory', cursors: [next] }])
    assert.equal(engine.submit(admit(event('e4', 'ana', 1))).code, 'applied')
    assert.deepEqual(Array.from(engine.feed(next), ({ playerId }) => playerId), ['cy', 'ana'])
    assert.throws(() => engine.feed(), { code: 'feed_gap', httpStatus: 410 }, 'the first two are gone')
    assert.deepEqual([...engine.feed(engine.last())], [])
    engine.dropConsumer('inventory')
    assert.deepEqual([engine.consumers(), engine.partitions, [...played().feed()]], [[], 1, []])
    for (const none of ['', '1', '0.x', 'later']) assert.throws(() => engine.feed(none), { code: 'cursor_invalid' })
  })

  test('rules are replaced, unless a board would lose its meaning', () => {
    const engine = played()
    assert.deepEqual(engine.replaceRules(rules({ limits: { maxPastSeconds: 60 } })), { added: ['/limits/maxPastSeconds'], removed: [], changed: [] })
    const boards = { xp: { ...DOCUMENT.boards.xp, operator: 'best' } }
    assert.throws(() => engine.replaceRules(rules({ boards })), { code: 'board_incompatible' })
  })
})

describe('rules', () => {
  test('say what they are', () => {
    const read = rules()
    assert.deepEqual([read.game, read.boards, read.curve.maxLevel], ['emberfall', { xp: { allTime: 0, daily: 2, weekly: 8 } }, 4])
    assert.match(read.hash, /^[0-9a-f]{64}$/)
    assert.throws(() => new Rules(), TypeError)
    assert.throws(() => Rules.fromJson('{}', { lootSeed: new Uint8Array(31) }), RangeError)
    assert.ok(Rules.fromJson(Buffer.from(JSON.stringify(DOCUMENT)), { lootSeed: new Uint8Array(32) }))
  })
})
