// Who stands out in a log of events, and why: tables and thresholds from the log itself, then everybody judged by them.
//
//     node examples/node/cheaters.mjs events.ndjson [part]
//
// `part` is how many of the players may be flagged by chance, 0.003 if it is not given. A log to try it on, with two cheaters of
// a hundred, comes from `cargo run --release --example anomaly_report -- --simulate 7 400`. The same program as
// `examples/python/cheaters.py`.

import { closeSync, openSync, readSync } from 'node:fs'
import { EventParser, Family, PlayerProfile, PopulationBuilder, Rules } from '../../bindings/node/index.mjs'

const PIECE_BYTES = 1 << 20
const ACTIVITIES_MAX = 64

/** Pieces of whole lines: no more of a log than one of them is in memory. */
function * pieces (path) {
  const [file, piece] = [openSync(path), Buffer.alloc(PIECE_BYTES)]
  let rest = Buffer.alloc(0)
  try {
    for (let length; (length = readSync(file, piece)) > 0;) {
      const all = Buffer.concat([rest, piece.subarray(0, length)])
      const end = all.lastIndexOf('\n') + 1
      if (end > 0) yield all.subarray(0, end)
      rest = all.subarray(end)
    }
    if (rest.length > 0) yield rest
  } finally {
    closeSync(file)
  }
}

/** Those that the rules take; other lines teach nothing and are left out here too. */
function * events (path) {
  const parser = new EventParser()
  for (const piece of pieces(path)) {
    for (const line of piece.toString().split('\n')) {
      try {
        // Of any age: each is judged at its own time.
        yield parser.parse(line, { nowMs: JSON.parse(line).ts * 1000 })
      } catch {}
    }
  }
}

/** Rules that keep apart the activities of this log. */
function rulesFor (path) {
  const names = new Set()
  for (const { payload } of events(path)) if (payload.activity !== undefined) names.add(payload.activity)
  const activities = [...names].sort().slice(0, ACTIVITIES_MAX)
  return Rules.fromJson(JSON.stringify({ version: 1, game: 'log', activities, detectors: { cheats: { kind: 'family' } } }))
}

/** A family of detectors, and the tables of what is usual in this log. Only its players are in memory. */
function fitted (path, perPlayer) {
  const [rules, builder] = [rulesFor(path), new PopulationBuilder()]
  const count = { events: 0, refused: 0 }
  for (const lines of pieces(path)) {
    const { events, refused } = builder.teachNdjson(rules, lines)
    count.events += events
    count.refused += refused
  }
  const population = builder.finish()
  console.log(`${count.events} events, ${count.refused} lines that are none; population ${population.hash.slice(0, 12)}`)
  const { thresholds } = rules.withPopulation(population).calibrate('cheats', pieces(path), { perPlayer })
  return { family: new Family({ population, thresholds }), population }
}

function main (path, part) {
  const { family, population } = fitted(path, part)
  const [known, profiles, flagged] = [new Set(population.bosses), new Map(), new Set()]
  for (const { playerId, ts, payload } of events(path)) {
    const profile = profiles.get(playerId) ?? new PlayerProfile()
    profiles.set(playerId, profile)
    const { deltaXp: amount, activity = 'other', bossId: boss, durationMs } = payload
    const gain = amount === undefined ? undefined : { activity, amount }
    const kill = known.has(boss) ? { boss, durationMs } : undefined
    for (const { detector, verdict } of family.observe(profile, { atMs: ts * 1000, gain, kill })) {
      console.log(`${playerId} ${new Date(ts * 1000).toISOString().slice(0, 16)}Z ${detector}: ${verdict.sentence}`)
      flagged.add(playerId)
    }
  }
  console.log(`${flagged.size} of ${profiles.size} players stand out`)
}

const [path, part = '0.003', ...more] = process.argv.slice(2)
try {
  if (path === undefined || more.length > 0) throw new Error('cheaters.mjs events.ndjson [part]')
  main(path, Number(part))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
