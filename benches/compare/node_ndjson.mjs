// node.ndjson: unsigned NDJSON parsed, decided and committed, against JSON.parse and ajv on the same bytes.
//
// Prints one JSON line; `cargo xtask compare node` starts it. Both sides get one Buffer of 20,000 lines, one after the
// other, in one process, and the event loop has a turn before each. Ours ends with every event committed to an engine; the
// peer's with every event as a checked object.

import { Engine } from '../../bindings/node/index.mjs'
import { NOW_MS, Stopwatch, median, printRow, settled, traffic } from './measure.mjs'
import { EVENTS, checked, rules } from './node_game.mjs'

const ROUNDS = 9

const data = traffic(EVENTS)
const stopwatch = new Stopwatch()
const ours = []
const peers = []
for (let n = 0; n <= ROUNDS; n++) {
  const engine = new Engine(rules)
  await settled()
  const [cost, outcomes] = stopwatch.time(() => engine.submitNdjson(data, { nowMs: NOW_MS }))
  await settled()
  const [peerCost, parsed] = stopwatch.time(() => checked(data))
  if (n === 0) { // Not counted: code is compiled, and both sides show that they did the whole work.
    const other = outcomes.find((outcome) => outcome.status !== 'applied')
    if (outcomes.length !== EVENTS || other) throw new Error(`node.ndjson: ${other?.status}: not all were applied`)
    if (parsed.length !== EVENTS) throw new Error('the peer lost events')
    continue
  }
  outcomes.close()
  engine.close() // Now, and not in the middle of a round.
  ours.push(cost / EVENTS)
  peers.push(peerCost / EVENTS)
}
printRow(stopwatch, { name: 'node.ndjson', ours: median(ours), peer: median(peers) })
