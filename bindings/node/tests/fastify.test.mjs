// The server among the examples, over HTTP: the sample season through it into a file, what it refuses, and a kill.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire, register } from 'node:module'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Engine, Rules, Signer, SqliteStore } from '../index.mjs'

// The example imports packages by name, as users do; here one is this repository, the other beside it.
const places = {
  liveops: new URL('../index.mjs', import.meta.url).href,
  fastify: pathToFileURL(createRequire(import.meta.url).resolve('fastify')).href
}
const hooks = `const places = ${JSON.stringify(places)}
export const resolve = (name, context, next) => next(places[name] ?? name, context)`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
const { createApp } = await import('../../../examples/node/fastify_app.mjs')

const data = (name) => new URL(`../../../examples/data/${name}`, import.meta.url)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const folder = mkdtempSync(join(tmpdir(), 'liveops-'))
after(() => rmSync(folder, { recursive: true }))

async function until (isSo) {
  while (!isSo()) await setTimeout(1)
}

describe('the minute of the Fastify example', () => {
  it('goes on after a clock that was wrong', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const said = []
    t.mock.method(console, 'error', (line) => { if (line.startsWith('advance')) said.push(line) })
    const begun = Date.now()
    let nowMs = begun
    const app = await createApp({ rules: Rules.fromFile(data('rules.json')), secret: readFileSync(data('secret.txt'), 'utf8').trim(), nowMs: () => nowMs })
    const minute = (at) => {
      nowMs = at
      t.mock.timers.tick(60_000)
    }
    const at = (time) => until(() => app.engine.horizon().now === time)
    assert.equal(app.engine.horizon().now, begun, 'it had slept')
    minute(begun + 32 * DAY_MS)
    await until(() => said.length === 1)
    assert.match(said[0], /^advance: clock_jump/)
    minute(begun + 2 * DAY_MS)
    await at(begun + 2 * DAY_MS)
    assert.equal(said.length, 1)
    await app.close()
    assert.throws(() => app.engine.horizon(), { code: 'closed' })
  })
})

describe('the Fastify example', () => {
  let app
  let port
  let nowMs = 1_793_340_000_000
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

  async function ask (method, path, body, headers = {}) {
    // As a list: two names that differ in case alone stay two, as the season has them.
    const listed = ['host', 'localhost', ...Object.entries(headers).flat()]
    const request = http.request({ port, host: '127.0.0.1', method, path, headers: listed, agent })
    request.end(body)
    const [answer] = await once(request, 'response')
    const text = Buffer.concat(await answer.toArray()).toString()
    return { status: answer.statusCode, type: answer.headers['content-type'].split(';')[0], answer: JSON.parse(text) }
  }

  before(async () => {
    const rules = Rules.fromFile(data('rules.json'))
    // A loss of power is not what this is about, and four thousand syncs take their time.
    const store = new SqliteStore(join(folder, 'season.db'), { sync: 'normal' })
    app = await createApp({ rules, secret: readFileSync(data('secret.txt'), 'utf8').trim(), store, nowMs: () => nowMs })
    await app.listen({ host: '127.0.0.1', port: 0 })
    port = app.server.address().port
  })

  after(async () => {
    agent.destroy()
    await app.close()
  })

  it('takes the season to the committed digest', async () => {
    const statuses = {}
    let hour
    for (const text of readFileSync(data('season.ndjson'), 'utf8').split('\n')) {
      let line
      try {
        line = JSON.parse(text)
      } catch {
        continue
      }
      if (!Number.isInteger(line.receivedMs) || typeof line.body !== 'string') continue
      if (Math.floor(line.receivedMs / HOUR_MS) !== hour) {
        hour = Math.floor(line.receivedMs / HOUR_MS)
        await app.engine.advanceAsync({ nowMs: line.receivedMs, far: true })
      }
      nowMs = line.receivedMs
      let said
      try {
        said = await ask('POST', '/events', line.body, line.headers)
      } catch (error) {
        // Some have header lines that no client sends.
        assert.equal(error.code, 'ERR_INVALID_CHAR')
        statuses.unsent = (statuses.unsent ?? 0) + 1
        continue
      }
      const { status, type, answer } = said
      statuses[status] = (statuses[status] ?? 0) + 1
      assert.equal(type, status === 202 ? 'application/json' : 'application/problem+json')
      assert.ok(status === 202 || answer.code)
    }
    assert.equal(`digest ${await app.engine.digestAsync()}`, readFileSync(data('season.digest'), 'utf8').trim())
    assert.ok(statuses.unsent === 3 && statuses[202] > 4_000 && statuses[400] > 0 && statuses[401] > 0, JSON.stringify(statuses))

    const { status, answer } = await ask('GET', '/leaderboard?limit=3')
    assert.deepEqual([status, answer.window, answer.entries.length, answer.entries[0].rank], [200, 'weekly', 3, 1])
    assert.ok(answer.season !== '' && answer.updatedAt === new Date(nowMs).toISOString())
  })

  for (const query of ['limit=0', 'limit=101', 'limit=abc', 'limit=', 'limit=1&limit=2', 'window=hourly', 'window=', 'window=daily&window=daily', 'board=xp&board=xp']) {
    it(`answers 400 to ${query}`, async () => {
      const { status, type, answer } = await ask('GET', `/leaderboard?${query}`)
      assert.deepEqual([status, type, answer.status, answer.code], [400, 'application/problem+json', 400, 'invalid_query'])
    })
  }

  it('answers 404 to what is not there, and says that it is well', async () => {
    for (const [path, code] of [['/leaderboard?board=nowhere', 'unknown_board'], ['/nowhere', 'not_found']]) {
      const { status, type, answer } = await ask('GET', path)
      assert.deepEqual([status, type, answer.status, answer.code], [404, 'application/problem+json', 404, code])
    }
    assert.deepEqual(await ask('GET', '/healthz'), { status: 200, type: 'application/json', answer: { status: 'ok', game: 'emberfall' } })
  })

  for (const way of ['content-length: 300000000', 'transfer-encoding: chunked']) {
    it(`refuses 300 MB while they come, with ${way}`, async () => {
      const resident = process.memoryUsage().rss
      const socket = net.connect(port, '127.0.0.1')
      let said = ''
      let over = false
      socket.on('data', (bytes) => { said += bytes })
      socket.on('error', () => {})
      socket.on('close', () => { over = true })
      socket.write(`POST /events HTTP/1.1\r\nhost: x\r\n${way}\r\n\r\n`)
      const piece = Buffer.alloc(1_000_000, 'x')
      const sent = way.startsWith('content') ? piece : Buffer.concat([Buffer.from('f4240\r\n'), piece, Buffer.from('\r\n')])
      for (let n = 0; n < 300 && !over && said === ''; n++) {
        if (!socket.write(sent)) await Promise.race([once(socket, 'drain'), once(socket, 'close'), once(socket, 'data')])
      }
      socket.destroy()
      const grown = process.memoryUsage().rss - resident
      assert.ok(grown < 60e6, `${grown} bytes more`)
      assert.match(said, /^HTTP\/1\.1 413 [^]*application\/problem\+json[^]*"too_large"/)
    })
  }
})

describe('the Fastify example, killed', () => {
  const secret = readFileSync(data('secret.txt'), 'utf8').trim()
  const file = join(folder, 'killed.db')
  const script = join(folder, 'server.mjs')
  writeFileSync(script, `
    import { register } from 'node:module'
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)})
    const { createApp } = await import(${JSON.stringify(new URL('../../../examples/node/fastify_app.mjs', import.meta.url).href)})
    const { Rules, SqliteStore } = await import(${JSON.stringify(places.liveops)})
    const store = new SqliteStore(${JSON.stringify(file)}, { waitSeconds: 10 })
    const app = await createApp({ rules: Rules.fromFile(new URL(${JSON.stringify(data('rules.json').href)})), secret: ${JSON.stringify(secret)}, store })
    await app.listen({ host: '127.0.0.1', port: 0 })
    process.send(app.server.address().port)`)

  it('has every event once that a client saw accepted', { timeout: 120_000 }, async () => {
    const [signer, accepted] = [new Signer(secret), []]
    for (let round = 0; round < 4; round++) {
      const server = fork(script)
      const [port] = await once(server, 'message')
      const ended = once(server, 'exit')
      let alive = true
      ended.then(() => { alive = false })
      const before = accepted.length
      const client = async (caller) => {
        for (let n = 0; alive; n++) {
          const id = `k-${round}-${caller}-${n}`
          const body = JSON.stringify({ type: 'progression', playerId: `p${round}${caller}${n}`, ts: Math.floor(Date.now() / 1000), payload: { deltaXp: 5, activity: 'quest' } })
          try {
            const { status } = await fetch(`http://127.0.0.1:${port}/events`, { method: 'POST', headers: { ...signer.sign(id, body), 'content-type': 'application/json' }, body })
            if (status === 202) accepted.push({ id, body })
          } catch {
            // Whether that one was taken, nobody knows.
          }
        }
      }
      const clients = Array.from({ length: 8 }, (_, caller) => client(caller))
      await until(() => accepted.length > before + 20 + 30 * round || !alive)
      assert.ok(alive && accepted.length > before, 'something was accepted before the kill')
      server.kill('SIGKILL')
      await Promise.all([ended, ...clients])
    }
    const engine = await Engine.open(Rules.fromFile(data('rules.json')), { store: new SqliteStore(file) })
    const again = await engine.submitNdjsonAsync(accepted.map(({ id, body }) => JSON.stringify({ id, ...JSON.parse(body) })).join('\n'))
    assert.deepEqual(again.counts(), { replayed: accepted.length })
    const board = engine.board('xp').at('allTime')
    for await (const { playerId, xp } of engine.playersAsync()) assert.equal(board.byOwners([playerId])[0].score, xp)
    assert.ok(board.length >= accepted.length)
    await engine.store.verifyAsync()
    await engine.closeAsync()
  })
})
