// Drives a season of signed events through door and engine, and says what an operator wants to know. The Rust and Python
// programs of this name do the same and end in the same digest.
//
//   node examples/node/replay.mjs [--store game.db] [events] [rules]
//
// With `--store` the state is in a file: killed and run again, it ends in the same digest.
// Without arguments it is the sample season; `-` is standard input. The secret is `secret.txt` beside the rules. In your
// own project the import is from 'liveops'.

import { createReadStream, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Engine, Intake, LiveopsError, Refusal, Rules, SqliteStore } from '../../bindings/node/index.mjs'
import { report } from './report.mjs'

const DATA = fileURLToPath(new URL('../data/', import.meta.url))
const HOUR_MS = 3_600_000
const LINE_BYTES_MAX = 1024 * 1024

async function main (args) {
  const file = args[0] === '--store' ? args[1] : undefined
  const [events = sample('season.ndjson'), rulesFile = sample('rules.json')] = file === undefined ? args : args.slice(2)
  const rules = Rules.fromFile(rulesFile)
  for (const { path, message } of rules.warnings()) console.error(`${rulesFile}: warning: ${path}: ${message}`)
  const intake = new Intake(rules, { secret: readFileSync(join(dirname(rulesFile), 'secret.txt'), 'utf8').trim() })
  // A run that was killed may still be on its way out of the disk: wait for it.
  const engine = await Engine.open(rules, file === undefined ? {} : { store: new SqliteStore(file, { waitSeconds: 5 }) })
  const source = events === '-' ? 'standard input' : events

  const begun = performance.now()
  const season = new Season(engine, intake, rules.boards, (await engine.horizonAsync()).now)
  let number = 0
  for await (const bytes of linesOf(events === '-' ? process.stdin : createReadStream(events))) {
    number++
    const line = parse(bytes)
    if (typeof line === 'string') {
      console.error(`${source}:${number}: broken line: ${line}`)
      season.broken++
    } else {
      await season.take(line)
    }
  }
  const seconds = (performance.now() - begun) / 1000
  const document = JSON.parse(readFileSync(rulesFile, 'utf8'))
  console.log(await report({ engine, rules, document, season, lines: number, source, seconds }))
  await engine.closeAsync()
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
  /** Lines that an earlier run had dealt with. */
  skipped = 0
  #hour = undefined
  #resumes

  /** `horizonMs`: how far the engine was advanced before. */
  constructor (engine, intake, boards, horizonMs) {
    this.engine = engine
    this.boards = boards
    this.intake = intake
    this.#resumes = horizonMs
  }

  /** Before the first line of each hour, time moves on for the engine. */
  async take ({ receivedMs, headers, body }) {
    const hour = Math.floor(receivedMs / HOUR_MS)
    if (hour !== this.#hour) {
      // What came before the last advance was decided before it.
      if (receivedMs >= this.#resumes) this.#resumes = -Infinity
      if (!this.#skips) await this.#advance(receivedMs)
    }
    this.#hour = hour
    this.first ??= receivedMs
    this.last = Math.max(this.last ?? receivedMs, receivedMs)
    const event = this.#admit(headers, body, receivedMs)
    if (this.#skips) this.skipped++
    else this.#count(await this.#submit(event))
  }

  get #skips () {
    return this.#resumes > -Infinity
  }

  async #advance (nowMs) {
    await this.engine.advanceAsync({ nowMs, far: true }) // a log may be silent for months
    if (this.last === undefined) return
    for (const period of this.engine.closedBetween(this.last, nowMs)) {
      const boards = Object.entries(this.boards).filter(([, windows]) => period.window in windows)
      const winners = boards.flatMap(([board]) => this.#first(board, period).map((row) => ({ board, ...row })))
      this.closings.push({ ...period, winners })
    }
  }

  #first (board, period) {
    try {
      return this.engine.board(board).of(period).top(1)
    } catch (error) {
      // A log read once more, or after a long silence: the period is kept no longer.
      if (error.code === 'period_dropped') return []
      throw error
    }
  }

  /** The event of one request, or why it is none. Whatever comes goes through the door: quotas are a part of the result. */
  #admit (headers, body, nowMs) {
    try {
      return this.intake.admit(headers, body, { nowMs })
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  /** The code of what became of it. */
  async #submit (event) {
    if (event instanceof Refusal) return event.code
    const outcome = await this.engine.submitAsync(event)
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
