// The cases of `/vectors`, which Rust and Python run too. See `vectors/README.md` for their form.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  Command, Engine, Intake, Leaderboard, RulesError, Rules, Signer, Verifier, hmacSha256Hex, verifyHmacSha256Hex
} from '../index.mjs'

const FOLDER = new URL('../../../vectors/', import.meta.url)
const KINDS = { hmac, signing, event, curve, period, closed, state, board, engine, http }

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json')).sort()
test('there are vectors', () => assert.notEqual(files.length, 0))
for (const file of files) {
  const { kind, cases } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
  describe(`vectors/${file}`, () => {
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
  if (expect.code !== undefined) assert.equal(codeOf(verify).code, expect.code)
  else assert.equal(verify().messageId, expect.messageId)
}

function event (one) {
  const intake = new Intake(rulesOf(one), { trusted: true, quotas: false })
  const admit = () => intake.admit({}, bodyOf(one), { nowMs: one.receivedMs })
  if (one.expect.event === undefined) {
    const { code, issues } = codeOf(admit)
    matches({ code, issues }, { ...one.expect, issues: one.expect.issues ?? [] })
    return
  }
  const { id, type, playerId, ts, payload } = admit().toJSON()
  matches({ id, type, playerId, ts: ts / 1000, payload }, one.expect.event)
}

function curve ({ curve, expect }) {
  const read = () => rulesOf({ rules: { version: 1, game: 'vectors', progress: { curve } } }).curve
  if (expect.error !== undefined) {
    const error = codeOf(read)
    assert.ok(error instanceof RulesError)
    return matches(error, expect.error)
  }
  const levels = read()
  assert.equal(levels.maxLevel, expect.maxLevel)
  for (const [level, xp] of expect.cost ?? []) assert.equal(levels.cost(level), xp, `cost(${level})`)
  for (const [level, xp] of expect.total ?? []) assert.equal(levels.total(level), xp, `total(${level})`)
  for (const [xp, level] of expect.levelAt ?? []) assert.equal(levels.levelAt(xp), level, `levelAt(${xp})`)
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

function board ({ order, operator, ties = 'firstToReach', ranking = 'ordinal', steps, expect }) {
  const board = new Leaderboard({ order, operator, ties, ranking })
  for (const step of steps) {
    if (step.submit !== undefined) {
      const [owner, score, subscore = 0] = step.submit
      const submit = () => board.submit(owner, score, step.atMs === undefined ? { subscore } : { subscore, at: step.atMs })
      if (step.error !== undefined) assert.equal(codeOf(submit).code, step.error)
      else submit()
    } else {
      const verb = ['hide', 'unhide', 'remove'].find((verb) => step[verb] !== undefined)
      assert.ok(verb, JSON.stringify(step))
      board[verb](step[verb])
    }
  }
  if (expect.top) assert.deepEqual(board.top(10_000).map((row) => [row.rank, row.playerId, row.score]), expect.top)
  for (const [owner, rank] of Object.entries(expect.rank ?? {})) assert.equal(board.rank(owner), rank, owner)
  for (const [owner, side, owners] of expect.around ?? []) {
    assert.deepEqual(board.around(owner, side).map((row) => row.playerId), owners)
  }
  for (const [owners, rows] of expect.byOwners ?? []) {
    assert.deepEqual(board.byOwners(owners).map((row) => [row.rank, row.playerId]), rows)
  }
  for (const [score, count] of expect.countAbove ?? []) assert.equal(board.countAbove(score), count, `above ${score}`)
}

const OPERATORS = ['adjust', 'review', 'setVisibility', 'erase']

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

function outcomesOf (engine, { isLine, nowMs, steps }) {
  if (isLine) {
    const lines = steps.map((step) => step.line ?? JSON.stringify(step.submit))
    return [...engine.submitNdjson(lines.join('\n') + '\n', { nowMs })]
  }
  const [step] = steps
  if (step.advance !== undefined) {
    engine.advance({ nowMs: step.advance })
    return []
  }
  const verb = OPERATORS.find((verb) => step[verb] !== undefined)
  assert.ok(verb, `unknown step ${JSON.stringify(step)}`)
  const { playerId, ...order } = step[verb]
  return [engine.submit(Command[verb]({ ...order, player: playerId, nowMs }))]
}

function engine (one) {
  for (const together of [false, true]) {
    const engine = new Engine(rulesOf(one))
    for (const run of runsOf(one.steps, together)) {
      const outcomes = outcomesOf(engine, run)
      const expected = run.steps.filter((step) => step.advance === undefined)
      assert.equal(outcomes.length, expected.length)
      outcomes.forEach((outcome, at) => matches(outcome, expected[at].expect ?? {}, `step ${JSON.stringify(expected[at])}`))
    }
    for (const player of one.players ?? []) {
      if (player.absent) assert.equal(engine.player(player.playerId), null)
      else matches(engine.player(player.playerId), player)
    }
    for (const [player, receipts] of Object.entries(one.receipts ?? {})) matches(engine.receipts(player), receipts)
    for (const [player, suspicions] of Object.entries(one.suspicions ?? {})) matches(engine.suspicions(player), suspicions)
    for (const { board, window, nowMs, rows } of one.boards ?? []) {
      assert.deepEqual(engine.board(board).top(window, 10_000, { nowMs }).map((row) => [row.rank, row.playerId, row.score]), rows)
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
