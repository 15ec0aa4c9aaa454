// Drives a season of signed events through door and engine, and says what an operator wants to know. The Rust and Python
// programs of this name do the same and end in the same digest.
//
//   node examples/node/replay.mjs [events] [rules]
//
// Without arguments it is the sample season; `-` is standard input. The secret is `secret.txt` beside the rules. In your
// own project the import is from 'liveops'.

import { createReadStream, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Engine, Intake, LiveopsError, Refusal, Rules } from '../../bindings/node/index.mjs'
import { report } from './report.mjs'

const DATA = fileURLToPath(new URL('../data/', import.meta.url))
const HOUR_MS = 3_600_000
const LINE_BYTES_MAX = 1024 * 1024

async function main ([events = sample('season.ndjson'), rulesFile = sample('rules.json')]) {
  const rules = Rules.fromFile(rulesFile)
  for (const { path, message } of rules.warnings()) console.error(`${rulesFile}: warning: ${path}: ${message}`)
  const intake = new Intake(rules, { secret: readFileSync(join(dirname(rulesFile), 'secret.txt'), 'utf8').trim() })
  const engine = new Engine(rules)
  const source = events === '-' ? 'standard input' : events

  const begun = performance.now()
  const season = new Season(engine, intake, rules.boards)
  let number = 0
  for await (const bytes of linesOf(events === '-' ? process.stdin : createReadStream(events))) {
    number++
    const line = parse(bytes)
    if (typeof line === 'string') {
      console.error(`${source}:${number}: broken line: ${line}`)
      season.broken++
    } else {
      season.take(line)
    }
  }
  const seconds = (performance.now() - begun) / 1000
  const document = JSON.parse(readFileSync(rulesFile, 'utf8'))
  console.log(report({ engine, rules, document, season, lines: number, source, seconds }))
}

/** A run under way. */
class Season {
  broken = 0
  first = undefined
  last = undefined
  outcomes = new Map()
  players = new Set()
  effects = []
  closings = []
  #hour = undefined

  constructor (engine, intake, boards) {
    this.engine = engine
    this.boards = boards
    this.intake = intake
  }

  /** Before the first line of each hour, time moves on for the engine. */
  take ({ receivedMs, headers, body }) {
    const hour = Math.floor(receivedMs / HOUR_MS)
    if (hour !== this.#hour) this.#advance(receivedMs)
    this.#hour = hour
    this.first ??= receivedMs
    this.last = Math.max(this.last ?? receivedMs, receivedMs)
    this.#count(this.#submit(headers, body, receivedMs))
  }

  #advance (nowMs) {
    this.engine.advance({ nowMs, far: true }) // a log may be silent for months
    if (this.last === undefined) return
    for (const period of this.engine.closedBetween(this.last, nowMs)) {
      const boards = Object.entries(this.boards).filter(([, windows]) => period.window in windows)
      const winners = boards.flatMap(([board]) => this.engine.board(board).page(period, 0, 1).map((row) => ({ board, ...row })))
      this.closings.push({ ...period, winners })
    }
  }

  /** The code of what became of one request. */
  #submit (headers, body, nowMs) {
    let event
    try {
      event = this.intake.admit(headers, body, { nowMs })
    } catch (error) {
      if (error instanceof Refusal) return error.code
      throw error
    }
    const outcome = this.engine.submit(event)
    if (outcome.status === 'applied') {
      this.players.add(event.playerId)
      this.effects.push(outcome.effect)
    }
    return outcome.code
  }

  #count (code) {
    this.outcomes.set(code, (this.outcomes.get(code) ?? 0) + 1)
  }
}

/** One line of a season, or what is wrong with it. */
function parse (bytes) {
  if (bytes.length > LINE_BYTES_MAX) return 'too long'
  let line
  try {
    line = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    return error.message
  }
  const { receivedMs, headers, body } = line ?? {}
  if (!Number.isSafeInteger(receivedMs)) return 'receivedMs is not a whole number'
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return 'headers is not an object'
  if (!Object.values(headers).every(isText)) return 'a header is not a text'
  if (!isText(body)) return 'body is not a text'
  return { receivedMs, headers, body }
}

const isText = (value) => typeof value === 'string' && value.isWellFormed()

/** The lines of a stream, cut at line feeds only. */
async function * linesOf (stream) {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    let bytes = Buffer.concat([rest, chunk])
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      yield bytes.subarray(0, end)
      bytes = bytes.subarray(end + 1)
    }
    rest = bytes
  }
  if (rest.length > 0) yield rest
}

function sample (name) {
  const near = relative(process.cwd(), join(DATA, name))
  return near.startsWith('..') ? join(DATA, name) : near
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  // What the caller can mend is told in a line; a fault of this program with its trace.
  const known = error instanceof LiveopsError || error.syscall !== undefined || error instanceof SyntaxError
  console.error(known ? `replay: ${error.message}` : error)
  process.exitCode = 2
}
