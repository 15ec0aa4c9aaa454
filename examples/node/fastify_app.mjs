// A server: signed events in, a leaderboard out. `npm install fastify liveops`, then
//
//   LIVEOPS_SECRET=whsec_... node fastify_app.mjs
//
// It listens on this machine only; put it behind your own proxy.

import Fastify from 'fastify'
import { Engine, Intake, LiveopsError, Refusal, Rules } from 'liveops'

const WINDOWS = ['daily', 'weekly', 'monthly', 'seasonal', 'allTime']

const rules = Rules.fromFile(new URL('../data/rules.json', import.meta.url))
for (const { path, message } of rules.warnings()) console.warn(`rules.json: warning: ${path}: ${message}`)
const engine = new Engine(rules)
const intake = new Intake(rules, { secret: process.env.LIVEOPS_SECRET })
const app = Fastify({ bodyLimit: 128 * 1024 })

// The signature is over the bytes as they came: nobody may parse them first.
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))

app.post('/events', async (req, reply) => {
  const event = intake.admit(req.headers, req.body ?? '', { address: req.ip })
  const outcome = await engine.submitAsync(event)
  return reply.code(202).headers(outcome.headers()).send(outcome.unwrap())
})

app.get('/leaderboard', async (req, reply) => {
  const { board: name = 'xp', window = 'weekly', limit = '100' } = req.query
  const now = new Date()
  if (!WINDOWS.includes(window) || !/^[1-9][0-9]?$|^100$/.test(limit)) return reply.code(400).send({ code: 'invalid_query' })
  const board = engine.board(name)
  const season = rules.calendar.describe(board.period(window, { now })).label
  return { window, season, updatedAt: now.toISOString(), entries: board.top(window, Number(limit), { now }) }
})

app.setErrorHandler((error, _, reply) => {
  if (error instanceof Refusal) return reply.code(error.httpStatus).headers(error.headers()).send(error.problem())
  if (error instanceof LiveopsError && error.code.startsWith('unknown_')) return reply.code(404).send({ code: error.code })
  return reply.send(error)
})

// Now and then: closes periods and frees what is too old to matter.
setInterval(() => engine.advance(), 60_000).unref()

await app.listen({ host: '127.0.0.1', port: 3000 })
