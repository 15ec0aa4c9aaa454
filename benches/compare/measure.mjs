// What the comparisons in Node share: events to read, and timing that knows when it cannot be trusted.

import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

export const NOW_MS = 1_767_614_400_000 // 2026-01-05T12:00:00Z

const EVENT_BYTES = 206
const PLAYERS = 10_000
const WAIT_PERCENT_MAX = 3

/** So many different events of 206 bytes each, one a line, of up to 10,000 players: as `benches/src/traffic.rs` makes them. */
export function traffic (events) {
  const hex = (value, digits) => value.toString(16).padStart(digits, '0')
  const lines = []
  for (let n = 0; n < events; n++) {
    const first = Math.imul(n, 2654435761) >>> 0
    const event = {
      id: `${hex(first, 8)}-${hex(n % 65536, 4)}-4${hex(n % 4096, 3)}-a${hex(n * 7 % 4096, 3)}-${hex(n, 12)}`,
      type: 'progression',
      playerId: `player-${String(n * 7919 % PLAYERS).padStart(6, '0')}`,
      ts: NOW_MS / 1000,
      payload: { deltaXp: 50, activity: 'dungeon', zone: '' },
    }
    const missing = EVENT_BYTES - JSON.stringify(event).length
    event.payload.zone = 'emberfall/ashen-reach/lower-vault/antechamber'.slice(0, missing)
    const line = JSON.stringify(event)
    if (line.length !== EVENT_BYTES) throw new Error(`an event of ${line.length} bytes`)
    lines.push(line)
  }
  return Buffer.from(lines.join('\n'))
}

/** How long this thread has waited for a processor; NaN where the kernel does not tell. */
function waitedNs () {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1])
  } catch {
    return NaN
  }
}

/** Garbage of the round before is collected (`--expose-gc`), and what frees memory outside of V8's heap has a turn to do it. */
export async function settled () {
  globalThis.gc?.()
  await setImmediate()
}

/** Times rounds, and how long they waited for a processor. */
export class Stopwatch {
  #wallNs = 0
  #waitNs = 0

  /** Nanoseconds, and what the round gave. Garbage of the round before is collected first (`--expose-gc`). */
  time (round) {
    globalThis.gc?.()
    const waited = waitedNs()
    const begun = process.hrtime.bigint()
    const result = round()
    const wall = Number(process.hrtime.bigint() - begun)
    this.#waitNs += waitedNs() - waited
    this.#wallNs += wall
    return [wall, result]
  }

  /** The same of a round that others do meanwhile; only the waiting of this thread is told. */
  async timeAsync (round) {
    const waited = waitedNs()
    const begun = process.hrtime.bigint()
    const result = await round()
    const wall = Number(process.hrtime.bigint() - begun)
    this.#waitNs += waitedNs() - waited
    this.#wallNs += wall
    return [wall, result]
  }

  get waitPercent () {
    return 100 * this.#waitNs / this.#wallNs
  }
}

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const rounded = (value, digits) => Number(value.toFixed(digits))

/** Prints a row as `cargo xtask compare` reads it; costs in nanoseconds an event. */
export function printRow (stopwatch, { name, ours, peer, more = {} }) {
  const { waitPercent } = stopwatch
  console.log(JSON.stringify({
    name,
    ours: rounded(ours, 1),
    peer: rounded(peer, 1),
    ratio: rounded(peer / ours, 2),
    unit: 'ns/event',
    wait_percent: Number.isNaN(waitPercent) ? null : rounded(waitPercent, 2),
    void: !(waitPercent <= WAIT_PERCENT_MAX),
    for_the_record: false,
    more: Object.fromEntries(Object.entries(more).map(([name, value]) => [name, rounded(value, 2)])),
  }))
}
