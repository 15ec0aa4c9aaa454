// node.ingest.loop: how long the event loop is held for lines of JSON: by submitNdjsonAsync, which parses, decides and commits
// them on another thread, against JSON.parse and ajv on the same bytes, which do it where everything else waits.
//
// Prints one JSON line; `cargo xtask compare node` starts it. Both sides get one Buffer of 20,000 lines, one after the other, in
// one process. What counts is the time that the loop was active, by `performance.eventLoopUtilization`, from the call until its
// answer is used: the counts of ours are read and its rows are not.

import { performance } from 'node:perf_hooks'
import { Engine } from '../../bindings/node/index.mjs'
import { NOW_MS, Stopwatch, median, printRow, settled, traffic } from './measure.mjs'
import { EVENTS, checked, rules } from './node_game.mjs'

const ROUNDS = 15
const NS_PER_MS = 1e6

const data = traffic(EVENTS)
const stopwatch = new Stopwatch()

/** Nanoseconds an event that the loop was active, and what the round gave. */
async function active (round) {
  await settled()
  const before = performance.eventLoopUtilization()
  const [, result] = await stopwatch.timeAsync(round)
  return [performance.eventLoopUtilization(before).active * NS_PER_MS / EVENTS, result]
}

const ours = []
const peers = []
for (let n = 0; n <= ROUNDS; n++) {
  const engine = new Engine(rules)
  const [cost, counts] = await active(async () => (await engine.submitNdjsonAsync(data, { nowMs: NOW_MS })).counts())
  if (counts.applied !== EVENTS) throw new Error('node.ingest.loop: not all were applied')
  const [peerCost, parsed] = await active(async () => checked(data))
  if (parsed.length !== EVENTS) throw new Error('the peer lost events')
  engine.close() // Now, and not in a turn of the loop that is measured.
  if (n === 0) continue // Not counted: code is compiled.
  ours.push(cost)
  peers.push(peerCost)
}
printRow(stopwatch, { name: 'node.ingest.loop', ours: median(ours), peer: median(peers) })
