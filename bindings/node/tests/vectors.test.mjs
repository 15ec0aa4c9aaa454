// The cases of `/vectors`, which Rust and Python run too. See `vectors/README.md` for their form.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  Archive, Calendar, Command, Cusum, DropRate, Engine, EventParser, Ewma, Family, Intake, Leaderboard, LevelCurve, Loot, Overflow, PlayerProfile, Population,
  PopulationBuilder, Progression, Quota, RateLimiter, Regularity, Robust, RulesError, Rules, Signer, SlidingLimiter, SlidingLog, Streak, TimeFloor, Verifier,
  WindowedLeaderboard, ZScore, awards, gcra, hmacSha256Hex, migrateXp, planMigration, receiptHash, receiptId, receiptState, seedCommitment, signReceipt,
  verifyChain, verifyHmacSha256Hex, verifyReceipt
} from '../index.mjs'
import { refusedArguments } from './refused.mjs'

const FOLDER = new URL('../../../vectors/', import.meta.url)
const KINDS = { arguments: refusedArguments, rules: rulesDocument, hmac, signing, event, intake, quota, curve, period, closed, state, board, windowed, engine, payout, http, progress, migration, loot, receipt, detector, family }

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json')).map((name) => new URL(name, FOLDER)).sort()
test('there are vectors', () => assert.notEqual(files.length, 0))
for (const file of files) {
  const { kind, cases } = JSON.parse(readFileSync(file, 'utf8'))
  describe(file.pathname.slice(file.pathname.lastIndexOf('vectors/')), () => {
    test('the kind is known and has cases', () => assert.ok(KINDS[kind] && cases.length > 0, kind))
    for (const one of cases) test(one.name, () => KINDS[kind](one))
  })
}

/** Members that are not listed are not compared; null is also what is not there. */
function matches (actual, expected, path = '') {
  if (expected === null) return assert.ok(actual === null || actual === undefined, `${path}: ${JSON.stringify(actual)} where nothing is expected`)
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) && actual.length === expected.length, `${path}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
    expected.forEach((element, at) => matches(actual[at], element, `${path}/${at}`))
  } else if (typeof expected === 'object') {
    assert.ok(typeof actual === 'object' && actual !== null, `${path}: ${JSON.stringify(actual)} is no object`)
    for (const key of Object.keys(expected)) matches(actual[key], expected[key], `${path}/${key}`)
  } else {
    assert.equal(actual, expected, path)
  }
}

/** What is thrown, by its code. */
function codeOf (work) {
  try {
    work()
  } catch (error) {
    assert.equal(typeof error.code, 'string', error.stack)
    return error
  }
  return assert.fail('nothing was thrown')
}

const rulesOf = ({ rules = { version: 1, game: 'vectors' } }) => Rules.fromJson(JSON.stringify(rules))

function bodyOf ({ body, bodyHex }) {
  if (bodyHex !== undefined) return Buffer.from(bodyHex, 'hex')
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.from(body.map((part) => typeof part === 'string' ? part : part[0].repeat(part[1])).join(''))
}

function rulesDocument (one) {
  const { rules, lootSeedHex, expect } = one
  const lootSeed = lootSeedHex === undefined ? undefined : Buffer.from(lootSeedHex, 'hex')
  const read = () => Rules.fromJson(JSON.stringify(rules), { lootSeed })
  if (expect.error !== undefined) return matches(codeOf(read), expect.error)
  const found = read()
  const warnings = found.warnings()
  matches({ warnings: warnings.map(({ path, code }) => [path, code]), messages: warnings.map(({ message }) => message), lootCommitment: found.lootCommitment }, expect)
}

function hmac ({ keyHex, dataHex, macHex }) {
  const [key, data] = [Buffer.from(keyHex, 'hex'), Buffer.from(dataHex, 'hex')]
  assert.equal(hmacSha256Hex(key, data), macHex)
  assert.ok(verifyHmacSha256Hex(key, data, macHex))
}

function signing (one) {
  const { do: act, secret, scheme, nowMs, expect } = one
  const options = scheme === undefined ? {} : { scheme }
  if (one.secretError !== undefined) {
    assert.equal(codeOf(() => new Verifier(secret, options)).code, one.secretError)
    return
  }
  if (act === 'sign') {
    const sign = () => new Signer(secret, options).sign(one.id, bodyOf(one), { nowMs })
    if (expect.code !== undefined) assert.equal(codeOf(sign).code, expect.code)
    else assert.deepEqual(sign(), expect.headers)
    return
  }
  assert.equal(act, 'verify')
  const verifier = new Verifier(secret, { ...options, toleranceSeconds: one.toleranceSeconds ?? 300 })
  const verify = () => verifier.verify(one.headers, bodyOf(one), { nowMs })
  const [answer] = verifier.verifyBatch([[one.headers, bodyOf(one)]], { nowMs })
  if (expect.code !== undefined) assert.deepEqual([codeOf(verify).code, answer.code], [expect.code, expect.code])
  else assert.deepEqual([verify().messageId, answer.messageId], [expect.messageId, expect.messageId])
}

function event (one) {
  const intake = new Intake(rulesOf(one), { trusted: true, quotas: false })
  const at = { nowMs: one.receivedMs }
  const admit = () => intake.admit({}, bodyOf(one), at)
  const parse = () => new EventParser({ rules: rulesOf(one) }).parse(bodyOf(one), at)
  if (one.expect.event === undefined) {
    const { code, issues } = codeOf(admit)
    matches({ code, issues }, { ...one.expect, issues: one.expect.issues ?? [] })
    if (one.expect.issues?.length > 0) matches(codeOf(parse), one.expect)
    return
  }
  matches(parse(), one.expect.event)
  const { id, type, playerId, ts, payload } = admit().toJSON()
  matches({ id, type, playerId, ts: ts / 1000, payload }, one.expect.event)
}

function intake (one) {
  const { secret, scheme, toleranceSeconds, trusted, allowUnsignedId, headers, nowMs, expect } = one
  const keys = one.keys?.map(({ id, secret, notBeforeMs: notBefore, notAfterMs: notAfter, playerId: player }) => ({ id, secret, notBefore, notAfter, player }))
  const options = { secret, keys, scheme, toleranceSeconds, trusted, allowUnsignedId, quotas: false }
  const make = () => new Intake(rulesOf(one), options)
  if (expect.event === undefined && expect.status === undefined) return assert.equal(codeOf(make).code, expect.code)
  const admit = () => make().admit(headers, bodyOf(one), { nowMs })
  const [answer] = make().admitBatch([{ headers, body: bodyOf(one) }], { nowMs })
  for (const refusal of expect.event === undefined ? [codeOf(admit), answer] : []) {
    const { code, httpStatus: status, issues } = refusal
    matches({ code, status, issues }, expect)
  }
  for (const command of expect.event === undefined ? [] : [admit(), answer]) {
    const { id, type, playerId, ts, payload } = command.toJSON()
    matches({ id, type, playerId, ts: ts / 1000, payload }, expect.event)
  }
}

/** Each call in every form in which it can be asked. */
function quota ({ quotas, sliding, capacity, whenFull, steps }) {
  const room = { capacity, whenFull }
  const runs = []
  if (sliding) {
    const limiter = new SlidingLimiter({ ...sliding, ...room })
    runs.push(({ key, replace }, at) => replace ? limiter.replace(replace) : limiter.check(key, at))
    const logs = new Map(steps.map(({ key }) => [key, new SlidingLog(sliding)]))
    const alone = ({ key, replace }, at) => replace ? logs.forEach((log) => log.replace(replace)) : logs.get(key).check(at)
    if (capacity === undefined) runs.push(alone)
  } else {
    const made = quotas.map((quota) => new Quota(quota))
    const requestsOf = ({ key, requests = [[own, key]] }) => requests.map(([which, key]) => [made[which], key])
    let own = 0
    const [limiter, store] = [0, 1].map(() => new RateLimiter({ ...made[0], ...room }))
    runs.push((step, at) => {
      if (step.replace !== undefined) return limiter.replace(quotas[step.replace])
      return step.key === undefined ? limiter.checkAll(requestsOf(step), at) : limiter.check(step.key, at)
    })
    runs.push((step, at) => {
      if (step.replace !== undefined) own = step.replace
      else return store.checkAll(requestsOf(step), at)
    })
    // States that the caller keeps, where every call is of one quota, whose numbers may change.
    const states = new Map()
    let current = made[0]
    const alone = ({ key, replace }, { nowMs, cost }) => {
      if (replace !== undefined) {
        current = made[replace]
        return
      }
      const left = states.get(key)
      const before = left ? current.carry(left.state, left.quota.intervalMicros, { nowMs }) : null
      const { state, decision } = gcra(before, current, { nowMs, cost })
      if (state !== null) states.set(key, { state, quota: current })
      return decision
    }
    if (capacity === undefined && steps.every(({ requests }) => requests === undefined)) runs.push(alone)
  }
  for (const run of runs) {
    for (const step of steps) {
      const { nowMs, cost = 1, times = 1, policy, expect } = step
      const at = nowMs === undefined ? {} : { nowMs, cost }
      for (let n = 1; n < times; n++) run(step, at)
      const decision = run(step, at)
      if (step.replace !== undefined) continue
      matches({ ...decision, headers: decision.headers(policy) }, expect, JSON.stringify(step))
    }
  }
}

function curve ({ curve, expect }) {
  const read = () => rulesOf({ rules: { version: 1, game: 'vectors', progress: { curve } } }).curve
  if (expect.error !== undefined) {
    for (const error of [codeOf(read), codeOf(() => LevelCurve.fromRules(curve))]) {
      assert.ok(error instanceof RulesError)
      matches(error, expect.error)
    }
    return
  }
  const levels = read()
  const made = [LevelCurve.fromRules(curve), madeOf(curve)]
  for (const { hash } of made) assert.equal(hash, levels.hash)
  const [costs, totals] = [levels.costs(), levels.totals()]
  assert.deepEqual(costs, totals.slice(1).map((start, at) => start - totals[at]))
  assert.deepEqual([totals.length, totals[0]], [levels.maxLevel, 0])
  assert.equal(levels.maxLevel, expect.maxLevel)
  for (const [level, xp] of expect.cost ?? []) assert.equal(levels.cost(level), xp, `cost(${level})`)
  for (const [level, xp] of expect.total ?? []) assert.equal(levels.total(level), xp, `total(${level})`)
  for (const [xp, level] of expect.levelAt ?? []) assert.equal(levels.levelAt(xp), level, `levelAt(${xp})`)
}

/** The same by the constructors. */
function madeOf ({ kind, fromLevel, costs, totals, base, step, growth, coefficients, times, pieces, cumulative, ...rest }, whole = {}) {
  const options = { ...rest, ...(cumulative || totals || whole.cumulative ? { cumulative: true } : {}) }
  switch (kind) {
    case 'table': return LevelCurve.table(costs ?? totals, options)
    case 'linear': return LevelCurve.linear(base, step, options)
    case 'polynomial': return LevelCurve.polynomial(coefficients, times === undefined ? options : { ...options, times })
    case 'exponential': return LevelCurve.exponential(base, growth, options)
    case 'piecewise': return LevelCurve.piecewise(pieces.map((piece) => [piece.fromLevel, madeOf(piece, { cumulative })]), options)
    default: return assert.fail(`unknown curve ${kind}`)
  }
}

function progress ({ curve, grants, streak, overflow, atMaxLevel, dailyXpCap, boosts, boostStacking, floor, tooFine, expect }) {
  if (curve !== undefined) {
    const read = ({ id, fromMs: from, untilMs: until, factor }) => ({ id, from, until, factor })
    const make = () => new Progression(LevelCurve.fromRules(curve), { atMaxLevel, dailyXpCap, boosts: boosts?.map(read), boostStacking, floor })
    if (tooFine !== undefined) return assert.equal(codeOf(make).code, 'out_of_range')
    const progression = make()
    const parts = (all) => all.map(([factor, rest]) => ({ factor, rest }))
    for (const { totalXp, grantedToday, requested, losses, remainders, tsMs, expect } of grants) {
      const grant = () => {
        const given = { grantedToday, losses, nowMs: tsMs }
        if (remainders === undefined) return progression.grant(totalXp, requested, given)
        const settled = progression.settle(totalXp, requested, { ...given, remainders: parts(remainders[0]) })
        assert.deepEqual(settled.remainders, parts(remainders[1]))
        return settled.grant
      }
      if (expect.error !== undefined) assert.equal(codeOf(grant).code, expect.error)
      else matches(grant(), expect)
    }
  } else if (streak !== undefined) {
    let state = new Streak()
    for (const [day, expected] of streak.days) {
      const step = state.step(day, { missedDaysMax: streak.missedDaysMax })
      assert.equal(step.day, expected, String(day))
      state = step.streak
    }
    matches(state, expect)
  } else {
    let state = new Overflow()
    for (const [surplus, units, rest] of overflow.gathered) {
      state = state.gather(surplus, overflow.every)
      assert.deepEqual({ ...state }, { units, rest })
    }
  }
}

function migration ({ old, new: next, policy, players, expect }) {
  const curves = [LevelCurve.fromRules(old), LevelCurve.fromRules(next)]
  const after = players.map(([before, through]) => {
    const { xp, grantedThrough } = migrateXp(...curves, policy, { xp: before, grantedThrough: through })
    return [xp, grantedThrough]
  })
  const histogram = players.map(([xp, grantedThrough, players]) => ({ xp, grantedThrough, players }))
  matches({ after, plan: planMigration(...curves, policy, histogram) }, expect)
}

function loot (one) {
  const { table, playerId: player, seedHex, expect } = one
  const read = () => rulesOf({ rules: { version: 1, game: 'vectors', loot: { t: one.loot } } }).loot('t')
  if (expect.error !== undefined) {
    matches(codeOf(read), expect.error)
    const { name, code, path } = codeOf(() => Loot.fromRules(one.loot))
    assert.deepEqual([name, code, path], ['RulesError', 'rules_invalid', expect.error.path.replace('/loot/t', '/loot/table')])
    return
  }
  const seed = Buffer.from(seedHex, 'hex')
  const commitment = seedCommitment(seed)
  const whole = read()
  const { entries, guaranteed, pity } = whole
  for (const loot of [whole, Loot.fromRules(one.loot), new Loot({ entries, guaranteed, pity: pity ?? undefined })]) {
    const rolls = expect.rolls.map(([nonce, misses]) => {
      const roll = loot.roll({ seed, table, player, nonce, misses })
      assert.ok(loot.verifyRoll({ seed, commitment, table, player, misses, roll }))
      // None lies behind the last that a number holds.
      const other = nonce === Number.MAX_SAFE_INTEGER ? nonce - 1 : nonce + 1
      const same = loot.roll({ seed, table, player, nonce: other, misses }).entry === roll.entry
      assert.equal(loot.verifyRoll({ seed, commitment, table, player, misses, roll: { ...roll, nonce: other } }), same)
      return [nonce, misses, roll.entry, roll.missesAfter]
    })
    const byEntry = (value) => Object.fromEntries(loot.entries.map(({ name }) => [name, value(name)]))
    const told = { commitment, odds: loot.odds(), expectedRolls: byEntry((name) => loot.expectedRolls(name)), items: byEntry((name) => loot.items(name)), rolls }
    matches(told, expect)
  }
}

function receipt (one) {
  const { game, playerId: player, reward, scope, index, key, receipts, head, expect } = one
  if (scope !== undefined) return assert.equal(receiptId({ game, player, reward, scope, index }), expect.id)
  if (one.receipt !== undefined) {
    assert.equal(signReceipt([key], one.receipt), expect.tag)
    return assert.deepEqual(verifyReceipt([key], one.receipt, expect.tag), { keyId: key.id })
  }
  const broken = verifyChain(receipts, head)
  assert.equal(verifyChain(JSON.stringify(receipts), head), broken)
  const states = expect.states?.map(([nowMs]) => [nowMs, receipts.map((receipt) => receiptState(receipt, { nowMs }))])
  matches({ broken, hashes: receipts.map(receiptHash), states }, expect)
}

const calendarOf = ({ calendar }) => rulesOf({ rules: { version: 1, game: 'vectors', calendar } }).calendar

function period (one) {
  const { window, tsMs, expect, nextResetMs } = one
  const calendar = calendarOf(one)
  assert.equal(calendar.nextReset(window, { nowMs: tsMs }), nextResetMs)
  const found = calendar.period(window, tsMs)
  if (expect === null) return assert.equal(found, null)
  const { index, label, start, end, closesAt } = found
  matches({ index, label, startMs: start, endMs: end, closesMs: closesAt }, expect)
  assert.deepEqual(calendar.describe({ window, index }), found)
}

function closed (one) {
  const closings = calendarOf(one).closedBetween(one.windows, one.afterMs, one.throughMs)
  assert.deepEqual(Array.from(closings, ({ closesAt, window, label }) => [closesAt, window, label]), one.expect)
}

function state (one) {
  const { window, index, keep, expect } = one
  const calendar = calendarOf(one)
  for (const [nowMs, state] of expect) assert.equal(calendar.state({ window, index }, keep, { nowMs }), state, String(nowMs))
}

const ids = (rows) => rows.map((row) => row.playerId)
const placed = (rows) => rows.map((row) => [row.rank, row.playerId, row.score])
const won = (awards) => awards.map((award) => [award.rank, award.playerId, award.tier])

/** What all boards take in one way; whether the step was one of these. */
function changed (board, step) {
  const verb = ['hide', 'unhide', 'remove'].find((verb) => step[verb] !== undefined)
  if (verb === undefined) return false
  const answer = board[verb](step[verb])
  if (step.is !== undefined) assert.equal(answer, step.is, JSON.stringify(step))
  return true
}

/** The error of a step that has one; else what the step gives. */
function stepped (step, work) {
  if (step.error === undefined) return work()
  const error = codeOf(work)
  assert.equal(error.code, step.error, JSON.stringify(step))
  if (step.index !== undefined) assert.equal(error.index, step.index, JSON.stringify(step))
  return undefined
}

function board ({ order, operator, ties = 'firstToReach', ranking = 'ordinal', steps, expect }) {
  const board = new Leaderboard({ order, operator, ties, ranking })
  for (const step of steps) {
    if (step.submit !== undefined) {
      const [owner, score, subscore = 0] = step.submit
      stepped(step, () => board.submit(owner, score, step.atMs === undefined ? { subscore } : { subscore, at: step.atMs }))
    } else if (step.submitBatch !== undefined) {
      const column = (at) => step.submitBatch.map((value) => value[at] ?? 0)
      stepped(step, () => board.submitBatch(column(0), column(1), column(2)))
    } else {
      assert.ok(changed(board, step), `unknown step ${JSON.stringify(step)}`)
    }
  }
  for (const copy of [board, Leaderboard.restore(board.snapshot())]) ranked(copy, expect)
}

function ranked (board, expect) {
  if (expect.top) assert.deepEqual([placed(board.top(10_000)), placed([...board])], [expect.top, expect.top])
  for (const [owner, rank] of Object.entries(expect.rank ?? {})) assert.equal(board.rank(owner), rank, owner)
  for (const [owner, side, owners] of expect.around ?? []) assert.deepEqual(ids(board.around(owner, side)), owners)
  for (const [owners, rows] of expect.byOwners ?? []) {
    assert.deepEqual(board.byOwners(owners).map((row) => [row.rank, row.playerId]), rows)
  }
  for (const [score, count] of expect.countAbove ?? []) assert.equal(board.countAbove(score), count, `above ${score}`)
  for (const [owner, share] of Object.entries(expect.percentile ?? {})) assert.equal(board.percentile(owner), share, owner)
  for (const [least, most, offset, limit, owners] of expect.byScoreRange ?? []) {
    assert.deepEqual(ids(board.byScoreRange(least, most, { offset, limit })), owners, `${least}..=${most}`)
  }
  for (const [limit, pages] of expect.pages ?? []) {
    const read = []
    let cursor = null
    do {
      const { rows, next } = board.pageAfter(cursor, limit)
      read.push(ids(rows))
      cursor = next
    } while (cursor !== null)
    assert.deepEqual(read, pages, `pages of ${limit}`)
  }
}

function windowed (one) {
  const { order, operator, ties, ranking, board: name, windows } = one
  const calendar = calendarOf(one)
  const settings = { order, operator, ties, ranking, name, windows, calendar }
  const label = (period) => [period.window, calendar.describe(period).label]
  let board = new WindowedLeaderboard(settings)
  for (const step of one.steps) {
    const at = { nowMs: step.nowMs ?? step.tsMs }
    if (step.submit !== undefined) {
      const [owner, score, subscore = 0] = step.submit
      const late = stepped(step, () => board.submit(owner, score, { subscore, ts: step.tsMs, ...at }))
      if (step.error === undefined) assert.deepEqual(late.map(label), step.late ?? [], JSON.stringify(step))
    } else if (step.advance !== undefined) {
      board.advance({ nowMs: step.advance })
    } else if (step.archive !== undefined) {
      const [window, index] = step.archive
      stepped(step, () => board.archive({ window, index }, at))
    } else if (step.restore !== undefined) {
      board = WindowedLeaderboard.restore(settings, board.snapshot())
    } else if (step.expect !== undefined) {
      kept(board, label, step.expect)
    } else {
      assert.ok(changed(board, step), `unknown step ${JSON.stringify(step)}`)
    }
  }
  kept(board, label, one.expect ?? {})
}

const LISTS = ['current', 'periods', 'archived', 'states', 'payouts']

function kept (board, label, expect) {
  for (const list of Object.keys(expect)) assert.ok(LISTS.includes(list), `unknown list ${list}`)
  for (const [window, nowMs, wanted] of expect.current ?? []) {
    const current = () => board.current(window, { nowMs })
    if (wanted.error) assert.equal(codeOf(current).code, wanted.error)
    else assert.deepEqual(label(current()), [window, wanted])
  }
  for (const [list, read] of [
    ['periods', (period, at) => [board.page(period, 0, 10_000, at), [...board.rows(period, at)]]],
    ['archived', (period, at) => [board.archived(period, at).page(0, 10_000), [...board.archived(period, at)]]]
  ]) {
    for (const { window, index, label: wanted, nowMs, rows, error } of expect[list] ?? []) {
      const readings = stepped({ error }, () => read({ window, index }, { nowMs }))
      if (wanted !== undefined) assert.deepEqual(label({ window, index }), [window, wanted])
      for (const reading of readings ?? []) assert.deepEqual(placed(reading), rows)
    }
  }
  for (const [window, index, states] of expect.states ?? []) {
    for (const [nowMs, wanted] of states) {
      const state = () => board.state({ window, index }, { nowMs })
      if (wanted === null) assert.equal(codeOf(state).code, 'unknown_window')
      else assert.equal(state(), wanted, `${window} ${index} at ${nowMs}`)
    }
  }
  for (const { window, index, nowMs, tiers, awards, error } of expect.payouts ?? []) {
    const paid = stepped({ error }, () => board.payout({ window, index }, tiers, { nowMs }))
    if (error === undefined) assert.deepEqual(won(paid), awards)
  }
}

function payout ({ order, ranking, owners, players, tiers, expect }) {
  const board = new Leaderboard({ order, ranking, operator: 'set' })
  const best = (place) => order === 'asc' ? place : -place
  const submits = owners ?? Array.from({ length: players }, (_, at) => [`p${at + 1}`, best(at)])
  for (const [owner, score, subscore = 0] of submits) board.submit(owner, score, { subscore })
  const week = new Calendar().period('weekly', 0)
  const { archive, names } = Archive.of(board, { board: 'xp', period: week, nowMs: week.closesAt })
  for (const paid of [() => board.awards(tiers), () => awards(board.top(10_000), tiers), () => archive.read(names).awards(tiers)]) {
    if (expect.error === undefined) assert.deepEqual(won(paid()), expect.awards)
    else assert.equal(codeOf(paid).code, expect.error)
  }
}

const OPERATORS = ['adjust', 'review', 'setVisibility', 'erase', 'claim', 'revoke', 'migrate']

/** Event steps of one `nowMs` in a row, or each by itself. */
function runsOf (steps, together) {
  const runs = []
  for (const step of steps) {
    const last = runs.at(-1)
    const isLine = step.submit !== undefined || step.line !== undefined
    if (together && isLine && last?.isLine && last.nowMs === step.nowMs) last.steps.push(step)
    else runs.push({ isLine, nowMs: step.nowMs, steps: [step] })
  }
  return runs
}

const ZEROS = '0'.repeat(64)

/** `inForce` has the rules, which steps replace. */
function outcomesOf (engine, { isLine, nowMs, steps }, inForce) {
  if (isLine) {
    const lines = steps.map((step) => step.line ?? JSON.stringify(step.submit))
    return [...engine.submitNdjson(lines.join('\n') + '\n', { nowMs })]
  }
  const [step] = steps
  if (step.advance !== undefined) {
    // What is refused is the core's, which measures by the horizon; here it is the clock. It moves nothing.
    if (step.error === undefined) engine.advance({ nowMs: step.advance, far: true })
    return []
  }
  if (step.payout !== undefined) return [paid(engine, step.payout, nowMs)]
  if (step.payClosed !== undefined) return [engine.payClosed(step.payClosed, { nowMs })]
  if (step.planMigration !== undefined) return [engine.planMigration(rulesOf({ rules: step.planMigration }))]
  if (step.replaceRules !== undefined) {
    inForce.rules = rulesOf({ rules: step.replaceRules })
    return [engine.replaceRules(inForce.rules)]
  }
  if (step.migrations !== undefined) {
    const commands = [...engine.migrations({ nowMs: step.migrations })]
    const told = ({ code, effect }, at) => ({ playerId: commands[at].playerId, code, effect })
    return [Array.from(engine.submitBatch(commands), told)]
  }
  const verb = OPERATORS.find((verb) => step[verb] !== undefined)
  assert.ok(verb, `unknown step ${JSON.stringify(step)}`)
  const { playerId, number, ...order } = step[verb]
  if (number !== undefined) order.receipt = engine.receipts(playerId).find((receipt) => receipt.number === number) ?? { number, id: ZEROS }
  if (verb === 'migrate') {
    order.curve ??= inForce.rules.curve
    order.version = engine.player(playerId)?.version ?? 0
  }
  return [engine.submit(Command[verb]({ ...order, player: playerId, nowMs }))]
}

/** What a finished period pays, and what became of the payments. */
function paid (engine, { board, window, index }, nowMs) {
  try {
    const payout = engine.payout(board, { window, index }, { nowMs })
    const outcomes = [...engine.submitBatch(payout.commands())]
    const told = ({ status, code, effect }, at) => ({ playerId: payout.awards[at].playerId, status, code, effect })
    return { ...payout, outcomes: outcomes.map(told) }
  } catch (error) {
    if (typeof error.code !== 'string' || error.code.startsWith('ERR_')) throw error
    return { code: error.code }
  }
}

function engine (one) {
  for (const together of [false, true]) {
    const inForce = { rules: rulesOf(one) }
    let engine = new Engine(inForce.rules)
    for (const run of runsOf(one.steps, together)) {
      const [{ restoreAt }] = run.steps
      if (restoreAt !== undefined) {
        engine = Engine.restore(inForce.rules, engine.snapshot(), { at: restoreAt })
        continue
      }
      const outcomes = outcomesOf(engine, run, inForce)
      const expected = run.steps.filter((step) => step.advance === undefined)
      assert.equal(outcomes.length, expected.length)
      outcomes.forEach((outcome, at) => matches(outcome, expected[at].expect ?? {}, `step ${JSON.stringify(expected[at])}`))
    }
    for (const player of one.players ?? []) {
      if (player.absent) assert.equal(engine.player(player.playerId), null)
      else matches(engine.player(player.playerId), player)
    }
    for (const [player, receipts] of Object.entries(one.receipts ?? {})) {
      matches(engine.receipts(player), receipts)
      assert.equal(verifyChain(engine.receipts(player), engine.chainHead(player)), null)
    }
    for (const [player, { nowMs, ...expected }] of Object.entries(one.explain ?? {})) {
      const { xp, level, lines } = engine.explain(player, { nowMs })
      assert.equal(lines.reduce((sum, line) => sum + line.xp, 0), xp, 'the lines add up')
      matches({ xp, level, lines: lines.map(({ topic, xp, text }) => [topic, xp, text]) }, expected)
    }
    for (const [player, suspicions] of Object.entries(one.suspicions ?? {})) matches([...engine.suspicions(player)], suspicions)
    for (const { board, window, nowMs, rows } of one.boards ?? []) {
      assert.deepEqual(placed(engine.board(board).top(window, 10_000, { nowMs })), rows)
    }
    if (one.digest) assert.equal(engine.digest(), one.digest)
  }
}

function http (one) {
  const rules = rulesOf(one)
  const engine = new Engine(rules)
  const intake = new Intake(rules, one.secret === undefined ? { trusted: true } : { secret: one.secret })
  let answer
  for (const { headers = {}, nowMs, ...rest } of one.requests) {
    let refused
    try {
      const outcome = engine.submit(intake.admit(headers, bodyOf(rest), { nowMs }))
      answer = { status: outcome.httpStatus, headers: outcome.headers(), problem: undefined }
      refused = outcome.error
    } catch (error) {
      refused = error
    }
    if (refused) answer = { status: refused.httpStatus, headers: refused.headers(), problem: refused.problem() }
  }
  matches(answer, one.expect)
}

const DETECTORS = { zScore: ZScore, ewma: Ewma, robust: Robust, cusum: Cusum, timeFloor: TimeFloor, dropRate: DropRate, regularity: Regularity }

function bits (number) {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(number)
  return bytes.toString('hex')
}

const hex = (bytes) => Buffer.from(bytes).toString('hex')

function detector ({ detector: { kind, prior, ...options }, observe, expect }) {
  const Class = DETECTORS[kind]
  if (prior !== undefined) options.prior = { mean: prior[0], sd: prior[1], weight: prior[2] }
  let one = new Class(options)
  const verdicts = observe.map((value) => {
    one = Class.fromBytes(one.toBytes(), options)
    if (Array.isArray(value)) return one.observe(...value)
    return one.observe(kind === 'regularity' ? new Date(value) : value)
  })
  const [scores, reasons] = [verdicts.map(({ score }) => bits(score)), verdicts.map(({ reason }) => reason)]
  matches({ scores, reasons, bytesHex: hex(one.toBytes()) }, expect)
  if (one.observeMany === undefined || reasons.includes('negative')) return
  const batched = new Class(options)
  assert.deepEqual([...batched.observeMany(Float64Array.from(observe)).scores].map(bits), scores)
  assert.equal(hex(batched.toBytes()), expect.bytesHex)
}

/** The events of `vectors/README.md`, a piece for each player. */
function * linesOf ({ players, events, startMs }) {
  for (let who = 0; who < players; who++) {
    let lines = ''
    for (let n = 0; n < events; n++) {
      const ts = Math.floor((startMs + n * 61_000 + (n + who) ** 2 * 7919 % 40_000) / 1000)
      const [type, payload] = n % 10 === 9
        ? ['boss_kill', { bossId: 'ogre', durationMs: 60_000 + (who * 7907 + n * 311) % 60_000 }]
        : ['progression', { deltaXp: 2000 + (who * 131 + n * 977) % 6000, activity: ['dungeon', 'quest'][n % 2] }]
      lines += JSON.stringify({ type, playerId: `p${who}`, ts, payload }) + '\n'
    }
    yield lines
  }
}

function family ({ history, floors = {}, drops = {}, events, expect }) {
  const came = {}
  let [population, thresholds] = [new Population(), undefined]
  if (history !== undefined) {
    const rules = rulesOf({ rules: { version: 1, game: 'vectors', activities: ['dungeon', 'quest'], detectors: { cheats: { kind: 'family' } } } })
    const builder = new PopulationBuilder()
    for (const lines of linesOf(history)) assert.equal(builder.teachNdjson(rules, lines).refused, 0)
    population = Population.fromBytes(builder.finish().toBytes())
    thresholds = rules.withPopulation(population).calibrate('cheats', linesOf(history), { perPlayer: history.perPlayer }).thresholds
    came.populationHash = population.hash
    came.thresholds = Object.values(thresholds).map(bits)
  }
  const one = new Family({ population, thresholds })
  for (const { boss } of events) if (boss !== undefined) one.boss(boss)
  for (const [boss, floorMs] of Object.entries(floors)) one.boss(boss, { floorMs: floorMs ?? undefined })
  for (const [drop, odds] of Object.entries(drops)) one.dropOdds(drop, odds)
  let profile = new PlayerProfile()
  came.findings = events.flatMap(({ atMs, activity, amount, boost, boss, durationMs, drop, chances, hits }, index) => {
    profile = PlayerProfile.fromBytes(profile.toBytes())
    const gain = amount === undefined ? undefined : { activity, amount, boost }
    const kill = boss === undefined ? undefined : { boss, durationMs }
    const found = one.observe(profile, { atMs, gain, kill, drops: drop === undefined ? undefined : { drop, chances, hits } })
    return found.map(({ detector, verdict }) => [index, detector, verdict.reason, verdict.sentence])
  })
  came.scores = Object.values(profile.scores).map(bits)
  came.profileHex = hex(profile.toBytes())
  matches(came, expect)
}
