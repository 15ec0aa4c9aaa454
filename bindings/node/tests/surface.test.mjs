// The package has what `bindings/surface.toml` lists, and nothing else: Python's is held to the same list.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parse } from 'smol-toml'
import * as liveops from '../index.mjs'
import { Command, Engine, Intake, Leaderboard, MemoryStore, Population, PostgresStore, RedisStore, SqliteStore, WindowedLeaderboard } from '../index.mjs'
import { DOCUMENT, NOW_MS, event, rules } from './game.mjs'

const LIST = parse(readFileSync(new URL('../../surface.toml', import.meta.url), 'utf8'))
const TYPES = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8')

const DAY_MS = 86_400_000
const folder = mkdtempSync(join(tmpdir(), 'liveops-'))
after(() => rmSync(folder, { recursive: true }))

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())

/** What the list says of a verb of ours; undefined for one that we lack. */
function listed (entry) {
  const text = typeof entry === 'string' ? entry : entry.node ?? '-'
  if (text === '-') return undefined
  const [, kinds, parameters] = /^([a-z ]*?) ?(?:\((.*)\))?$/.exec(text)
  const words = new Set(kinds.split(' '))
  const [positional, options] = ` ${parameters ?? ''}`.split(/(?:^|,)? ?\*(?:, )?/)
  const read = (part) => (part ?? '').trim().split(', ').filter(Boolean).map((one) => {
    const [name, value] = one.split('=')
    return { name: camel(name.trim()), default: value }
  })
  const named = read(options).flatMap(({ name }) => name === 'now' ? ['nowMs', 'now'] : [name])
  return { words, positional: read(positional), options: parameters?.includes('*') ? named : undefined }
}

/** Something to do a verb with. */
function given () {
  const boards = { xp: { ...DOCUMENT.boards.xp, payouts: { daily: [{ tier: 'gold', ranks: [1, 1], grant: { kind: 'item', id: 'crown', amount: 1 } }] } } }
  const loot = { chest: { entries: { crown: { weight: 1, grant: { kind: 'item', id: 'crown', amount: 1 } } } } }
  const game = rules({ boards, loot, detectors: { ...DOCUMENT.detectors, cheats: { kind: 'family' } } })
  const engine = new Engine(game, { feed: 100 })
  engine.submitNdjson(event('e1', 'ana', 120), { nowMs: NOW_MS })
  engine.advance({ nowMs: NOW_MS + 2 * DAY_MS, far: true })
  const board = engine.board('xp')
  const period = board.period('daily', { nowMs: NOW_MS })
  const { archive, names } = board.archive(period, { nowMs: NOW_MS })
  const order = { id: 'o1', player: 'ana', nowMs: NOW_MS }
  const [receipt] = engine.receipts('ana')
  const store = new SqliteStore(join(folder, `${Math.random()}.db`))
  const [leaderboard, windowed] = [new Leaderboard({ name: 'xp' }), new WindowedLeaderboard({ windows: { daily: 2 } })]
  leaderboard.submit('ana', 5)
  windowed.submit('ana', 5, { nowMs: NOW_MS, ts: NOW_MS })
  const command = Command.erase(order)

  const values = {
    rules: game, newRules: game, command, commands: [], trusted: event('e2', 'bo', 1), playerId: 'ana', playerIds: ['ana'], name: 'xp', board: 'xp', after: NOW_MS,
    through: NOW_MS + 1, consumer: 'inventory', period, window: 'daily', archive, names, path: join(folder, `${Math.random()}`), snapshot: engine.snapshot(), limit: 3, offset: 0,
    score: 1, least: 0, most: 9, document: JSON.stringify(DOCUMENT), eachSide: 1, partition: 0, file: new URL('../../../examples/data/rules.json', import.meta.url),
    population: new Population(), family: 'cheats', thresholds: {}, headers: {}, body: event('e3', 'ana', 1), history: event('e1', 'ana', 120), budget: { perPlayerDay: 1 },
    requests: [], order: { ...order, xp: 1, reason: 'r' }, claim: { player: 'ana', receipt, nowMs: NOW_MS }, migration: { player: 'ana', curve: game.curve, version: 1, nowMs: NOW_MS },
    index: 0, test: () => true, owner: 'ana', owners: ['ana'], url: 'redis://localhost', scores: [5], tiers: [{ tier: 'gold', ranks: [1, 1] }], leaderboard, options: { windows: { daily: 2 } }
  }
  const orders = { adjust: { xp: 1, reason: 'r' }, review: { suspicion: 1, ruling: 'release' }, setVisibility: { hidden: true }, erase: {}, revoke: { receipt, reason: 'r' } }
  /** Where a name means another thing. */
  const others = {
    Command: { order: (verb) => ({ ...order, ...orders[verb] }) },
    Rules: { name: () => 'chest' },
    Engine: { after: (verb) => verb === 'feed' ? undefined : values.after },
    Leaderboard: { snapshot: () => leaderboard.snapshot() },
    WindowedLeaderboard: { snapshot: () => windowed.snapshot() },
    Archive: { options: () => ({ period, nowMs: NOW_MS + 2 * DAY_MS }), bytes: () => archive.toBytes() },
    Names: { bytes: () => names.toBytes() }
  }
  const objects = {
    Engine: engine, Board: board, Standings: board.of(period), Rules: game, MemoryStore: new MemoryStore(), Intake: new Intake(game, { trusted: true }), Command: command,
    Outcome: engine.submit(command), Outcomes: engine.submitBatch([command]), Payout: engine.payout('xp', period, { nowMs: NOW_MS }), Leaderboard: leaderboard, WindowedLeaderboard: windowed,
    Archive: archive, Names: names, ArchiveView: archive.read(names),
    // Nobody opened them: what they are asked is `closed`.
    RedisStore: new RedisStore('redis://localhost'), PostgresStore: new PostgresStore('postgresql://localhost'),
    get SqliteStore () {
      const opened = new Engine(game, { store })
      after(() => opened.close())
      return store
    }
  }
  return { objects, valueOf: (owner, verb, name) => others[owner]?.[name] === undefined ? values[name] : others[owner][name](verb) }
}

/** What an argument of another kind, or none, throws. */
const isArgumentError = (error) => error instanceof TypeError && error.code === 'invalid_argument'

/** Does a verb as far as its first answer. */
async function done (work) {
  const answer = await work()
  if (typeof answer?.next === 'function') await answer.next()
  return answer
}

for (const [owner, verbs] of Object.entries(LIST)) {
  const Class = liveops[owner]
  if (Class === undefined) {
    test(`${owner} is Python's`, () => {
      for (const entry of Object.values(verbs)) assert.equal(listed(entry), undefined)
    })
    continue
  }
  describe(owner, () => {
    const ours = Object.entries(verbs).map(([name, entry]) => [camel(name), listed(entry)]).filter(([, known]) => known !== undefined)

    test('has what is listed, and nothing else', () => {
      const expected = ours.flatMap(([name, { words }]) => words.has('new') ? [] : words.has('async') ? [name, `${name}Async`] : [name])
      const described = (object) => Object.entries(Object.getOwnPropertyDescriptors(object))
      const shared = described(Class.prototype).filter(([name]) => name !== 'constructor')
      const statics = described(Class).filter(([, { value }]) => typeof value === 'function' && value !== Class.prototype)
      // Some show what they are as members of their own.
      const offered = [...shared, ...statics, ...described(given().objects[owner])].map(([name]) => name)
      assert.deepEqual(offered.sort(), expected.sort())
    })

    for (const [name, { words, positional, options }] of ours) {
      if (words.has('get')) continue
      for (const verb of words.has('async') ? [name, `${name}Async`] : [name]) {
        const isNew = words.has('new')
        const call = ({ objects }, args) => done(() => isNew ? new Class(...args) : words.has('static') ? Class[verb](...args) : objects[owner][verb](...args))

        test(`${verb} takes what is listed`, async () => {
          const scope = given()
          const required = positional.filter((parameter) => parameter.default === undefined).map((parameter) => scope.valueOf(owner, name, parameter.name))
          for (const [at, value] of required.entries()) assert.notEqual(value, undefined, `${positional[at].name} has no sample`)
          await call(scope, required).catch((error) => assert.ok(!isArgumentError(error), `${error.stack}`))
          if (required.length > 0) await assert.rejects(async () => call(given(), required.slice(0, -1)), (error) => isArgumentError(error) || error.code === 'secret_invalid')
          if (options === undefined) return
          const everything = positional.map((parameter) => scope.valueOf(owner, name, parameter.name))
          await assert.rejects(async () => call(given(), [...everything, { unheardOf: 1 }]), (error) => {
            const [, known] = /it knows (.*)$/.exec(error.message) ?? assert.fail(error.stack)
            assert.deepEqual(known.split(', ').sort(), [...options].sort())
            return true
          })
        })
      }
    }
  })
}

/** The defaults of a verb's positional parameters, as the list has them. */
const defaultsOf = (owner, verb) => Object.fromEntries(listed(LIST[owner][verb]).positional.filter((one) => one.default !== undefined).map((one) => [one.name, JSON.parse(one.default)]))

test('what is left out is what the list says', () => {
  const engine = new Engine(rules(), { feed: 5_000 })
  const players = Array.from({ length: 1_200 }, (_, n) => `p${n}`)
  engine.submitNdjson(players.map((player, n) => event('e1', player, n)).join('\n'), { nowMs: NOW_MS })
  const [leaderboard, windowed] = [new Leaderboard(), new WindowedLeaderboard({ windows: { allTime: 0 } })]
  for (const board of [leaderboard, windowed]) board.submitBatch(players, players.map((_, n) => n))
  const standings = engine.board('xp').at('allTime')
  const told = [
    ['Engine', 'players_page', { cursor: null, limit: engine.playersPage().items.length }], ['Engine', 'feed_page', { cursor: null, limit: engine.feedPage().items.length }],
    ['Board', 'top', { limit: engine.board('xp').top('allTime').length }], ['Standings', 'top', { limit: standings.top().length }],
    ['Standings', 'page_after', { cursor: null, limit: standings.pageAfter().rows.length }], ['Standings', 'around', { eachSide: (standings.around('p600').length - 1) / 2 }],
    ['Leaderboard', 'top', { limit: leaderboard.top().length }], ['Leaderboard', 'page_after', { cursor: null, limit: leaderboard.pageAfter().rows.length }],
    ['Leaderboard', 'around', { eachSide: (leaderboard.around('p600').length - 1) / 2 }], ['WindowedLeaderboard', 'top', { limit: windowed.top('allTime').length }],
    ['WindowedLeaderboard', 'page_after', { cursor: null, limit: windowed.pageAfter('allTime').rows.length }],
    ['WindowedLeaderboard', 'around', { eachSide: (windowed.around('allTime', 'p600').length - 1) / 2 }]
  ]
  for (const [owner, verb, defaults] of told) assert.deepEqual(defaults, defaultsOf(owner, verb), `${owner}.${verb}`)
  for (const verb of ['suspicions_page', 'suspicions_ndjson_page', 'migrations_page']) assert.deepEqual(defaultsOf('Engine', verb), defaultsOf('Engine', 'players_page'))
})

/** What the types say of a verb: of each of its forms, the parameters as they are written. */
function typed (owner, verb) {
  const [, body] = new RegExp(`^export class ${owner} [^]*?\\{\\n([^]*?)^\\}`, 'm').exec(TYPES)
  const forms = [...body.matchAll(new RegExp(`^  (?:private |static )*${verb}(?:<[^(]*>)?\\((.*)$`, 'gm'))]
  return forms.map(([, rest]) => {
    const parameters = ['']
    let depth = 0
    for (const [at, sign] of [...rest].entries()) {
      if (sign === ')' && depth === 0) break
      if ('({['.includes(sign)) depth++
      if (')}]'.includes(sign)) depth--
      // A comma of a type's arguments, as of `Omit<A, B>`, has no name with a colon behind it.
      if (sign === ',' && depth === 0 && /^ (\.\.\.)?\w+\??:/.test(rest.slice(at + 1))) parameters.push('')
      else parameters[parameters.length - 1] += sign
    }
    return parameters.map((one) => one.trim()).filter(Boolean)
  })
}

test('what may be left out by the list may be by the types, and nothing else', () => {
  let compared = 0
  for (const [owner, verbs] of Object.entries(LIST)) {
    for (const [name, entry] of Object.entries(verbs)) {
      const { words, positional } = listed(entry) ?? { words: new Set(['get']) }
      if (words.has('get') || positional.length === 0) continue
      const verb = words.has('new') ? 'constructor' : camel(name)
      for (const form of words.has('async') ? [verb, `${verb}Async`] : [verb]) {
        const forms = typed(owner, form)
        assert.notEqual(forms.length, 0, `${owner}.${form} is not in the types`)
        for (const [at, parameter] of positional.entries()) {
          const optional = forms.some((parameters) => parameters[at] === undefined || /^(\.\.\.\w+:|\w+\?:)/.test(parameters[at]))
          assert.equal(optional, parameter.default !== undefined, `${owner}.${form}: ${parameter.name} is \`${forms.map((one) => one[at])}\``)
          compared++
        }
      }
    }
  }
  assert.ok(compared > 150, `${compared} parameters`)
})

/** The default of an option, as the list has it. */
const optionOf = (owner, verb, name) => JSON.parse(new RegExp(`${name}=([^,)]+)`).exec(typeof LIST[owner][verb] === 'string' ? LIST[owner][verb] : LIST[owner][verb].node)[1])

test('options that are left out are what the list says', async () => {
  const played = (options) => {
    const engine = new Engine(rules(), { feed: 10, ...options })
    engine.submitNdjson(event('e1', 'ana', 120), { nowMs: NOW_MS })
    return engine
  }
  const engine = played()
  assert.equal([...engine.feed()][0].run !== undefined, optionOf('Engine', 'new', 'recording'))
  assert.deepEqual([...engine.feed()], [...engine.feed(undefined, { partition: optionOf('Engine', 'feed', 'partition') })])
  const board = engine.board('xp')
  for (const verb of ['period', 'at', 'top', 'state']) {
    const earlier = optionOf('Board', verb, 'earlier')
    const [left, said] = [{ nowMs: NOW_MS }, { nowMs: NOW_MS, earlier }].map((options) => verb === 'top' ? board.top('daily', 10, options) : board[verb]('daily', options))
    assert.deepEqual(verb === 'at' ? left.period : left, verb === 'at' ? said.period : said, verb)
  }
  const file = await Engine.open(rules(), { store: new SqliteStore(join(folder, 'options.db')) })
  const { sync, feedLenMax } = await file.store.statusAsync()
  assert.deepEqual([sync, feedLenMax], [optionOf('SqliteStore', 'new', 'sync'), optionOf('SqliteStore', 'new', 'feed')])
  await file.closeAsync()
})
