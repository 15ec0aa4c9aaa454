// A worker of `examples/rust/fleet.rs` in Node: one of many processes over one store.
//
//   FLEET_URL=redis://127.0.0.1 node examples/node/fleet_worker.mjs redis rules.json
//
// It reads a request a line and answers each in a line; `examples/src/fleet.rs` lists them. In your own project the import is
// from 'liveops'.

import { createInterface } from 'node:readline'
import { Engine, Intake, LiveopsError, PostgresStore, RedisStore, Rules } from '../../bindings/node/index.mjs'

const ROWS_MAX = 10

async function main (kind, rulesFile) {
  const rules = Rules.fromFile(rulesFile)
  // Whoever drives has let the events in, and counted the quotas.
  const intake = new Intake(rules, { trusted: true, quotas: false })
  const engine = await Engine.open(rules, { store: storeOf(kind, process.env.FLEET_URL) })
  say({ ready: true })
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(engine, intake, JSON.parse(line)))
    } catch (error) {
      if (!(error instanceof LiveopsError)) throw error
      say({ error: error.code })
    }
  }
  await engine.closeAsync()
}

/** A season's times are not of today, so the store's clock has no say. */
function storeOf (kind, url) {
  if (kind === 'redis') return new RedisStore(url, { clockAheadSeconds: null, allowNoPersistence: true })
  return new PostgresStore(url, { clockAheadSeconds: null })
}

async function answer (engine, intake, { submit, advance, boards }) {
  if (submit !== undefined) {
    const events = submit.map(({ headers, body, receivedMs }) => intake.admit(headers, body, { nowMs: receivedMs }))
    const outcomes = await engine.submitBatchAsync(events)
    return { outcomes: [...outcomes].map(({ status, code }) => [status, code]) }
  }
  if (advance !== undefined) {
    const { now } = await engine.advanceAsync({ nowMs: advance, far: true }) // a season may be silent for months
    return { now }
  }
  if (boards !== undefined) return { boards: await allBoards(engine, boards) }
  return { digest: await engine.digestAsync() }
}

/** Every board in every window, now and one period ago, when all that was committed anywhere is on them. */
async function allBoards (engine, nowMs) {
  await engine.catchUpAsync()
  const rows = {}
  for (const name of Object.keys(engine.rules.boards)) {
    const board = engine.board(name)
    for (const window of board.windows) {
      for (const earlier of window === 'allTime' ? [0] : [0, 1]) {
        const top = board.at(window, { nowMs, earlier }).top(ROWS_MAX)
        rows[`${name} ${window} ${earlier}`] = top.map(({ rank, playerId, score }) => [rank, playerId, score])
      }
    }
  }
  return rows
}

function say (answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

await main(...process.argv.slice(2, 4))
