// A server: signed events in, a leaderboard out. `npm install fastify liveops`, then
//
//   LIVEOPS_SECRET=whsec_... node fastify_app.mjs
//
// It listens on this machine only, at PORT (3000), by the rules in LIVEOPS_RULES (the sample rules); put it behind your own proxy. The state is in
// the file LIVEOPS_STORE (game.db): killed at any moment, the server goes on where it was. One process owns the file; the next one waits for
// it to end.

import { STATUS_CODES } from 'node:http'
import process, { argv, env } from 'node:process'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { Engine, Intake, LiveopsError, Refusal, Rules, SqliteStore } from 'liveops'

const WINDOWS = ['daily', 'weekly', 'monthly', 'seasonal', 'allTime']
/** Beyond what any event has: whoever sends more is answered before the rest is read. */
const BODY_BYTES_MAX = 64 * 1024
const PROBLEM = 'application/problem+json'

export async function createApp ({ rules, secret, store, nowMs = Date.now }) {
  const engine = await Engine.open(rules, { store })
  const intake = new Intake(rules, { secret })
  const app = Fastify({ bodyLimit: BODY_BYTES_MAX })
  app.decorate('engine', engine)

  // The signature is over the bytes as they came, whatever they are called: nobody may parse them first.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))

  app.post('/events', async (req, reply) => {
    const event = intake.admit(req.headers, req.body ?? '', { address: req.ip, nowMs: nowMs() })
    const outcome = await engine.submitAsync(event)
    return reply.code(202).headers(outcome.headers()).send(outcome.unwrap())
  })

  app.get('/leaderboard', async (req, reply) => {
    const { board: name = 'xp', window = 'weekly', limit = '100' } = req.query
    if (typeof name !== 'string') return problem(reply, 400, 'invalid_query', 'board: one name')
    if (!WINDOWS.includes(window)) return problem(reply, 400, 'invalid_query', `window: one of ${WINDOWS.join(', ')}`)
    if (!/^([1-9][0-9]?|100)$/.test(limit)) return problem(reply, 400, 'invalid_query', 'limit: a whole number from 1 to 100')
    const now = { nowMs: nowMs() }
    const board = engine.board(name)
    const season = rules.calendar.describe(board.period(window, now)).label
    return { window, season, updatedAt: new Date(now.nowMs).toISOString(), entries: board.top(window, Number(limit), now) }
  })

  app.get('/healthz', async () => ({ status: 'ok', game: rules.game }))

  app.setNotFoundHandler((_, reply) => problem(reply, 404, 'not_found', 'there is nothing here'))
  app.setErrorHandler((error, _, reply) => {
    if (error instanceof Refusal) return reply.code(error.httpStatus).headers(error.headers()).type(PROBLEM).send(error.problem())
    if (error instanceof LiveopsError) return problem(reply, error.httpStatus, error.code, error.message)
    // What is left of a body that is too large is not read: the connection goes with it.
    if (error.statusCode === 413) return problem(reply.header('connection', 'close'), 413, 'too_large', `a body has at most ${BODY_BYTES_MAX} bytes`)
    if (error.statusCode < 500) return problem(reply, error.statusCode, 'http_error', error.message)
    console.error(error)
    return problem(reply, 500, 'internal', 'an unforeseen error')
  })

  // Now, however long nobody was there, and then each minute: closes periods and frees what is too old to matter.
  await advance(engine, nowMs())
  const minutely = setInterval(() => advance(engine, nowMs()), 60_000).unref()
  app.addHook('onClose', async () => {
    clearInterval(minutely)
    await engine.closeAsync()
  })
  return app
}

/** A clock that is wrong (`clock_jump`) is told, and asked again a minute later: it may be right by then. */
async function advance (engine, nowMs) {
  try {
    await engine.advanceAsync({ nowMs })
  } catch (error) {
    if (!(error instanceof LiveopsError)) throw error
    console.error(`advance: ${error.message}`)
  }
}

/** A problem document (RFC 9457). */
function problem (reply, status, code, detail) {
  return reply.code(status).type(PROBLEM).send({ type: 'about:blank', title: STATUS_CODES[status], status, code, detail })
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const file = env.LIVEOPS_RULES ?? fileURLToPath(new URL('../data/rules.json', import.meta.url))
  const rules = Rules.fromFile(file)
  for (const { path, message } of rules.warnings()) console.warn(`${file}: warning: ${path}: ${message}`)
  const store = new SqliteStore(env.LIVEOPS_STORE ?? 'game.db', { waitSeconds: 10 })
  const app = await createApp({ rules, secret: env.LIVEOPS_SECRET, store })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())
  console.log(await app.listen({ host: '127.0.0.1', port: Number(env.PORT ?? 3000) }))
}
