// The server among the examples, over HTTP: the sample season through it, and what it refuses.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire, register } from 'node:module'
import net from 'node:net'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Rules } from '../index.mjs'

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

describe('the minute of the Fastify example', () => {
  it('goes on after a clock that was wrong', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const said = t.mock.method(console, 'error', () => {})
    const begun = 1_793_340_000_000
    let nowMs = begun
    const app = createApp({ rules: Rules.fromFile(data('rules.json')), secret: readFileSync(data('secret.txt'), 'utf8').trim(), nowMs: () => nowMs })
    const minute = (at) => {
      nowMs = at
      t.mock.timers.tick(60_000)
    }
    minute(begun)
    minute(begun + 32 * 24 * HOUR_MS)
    assert.match(said.mock.calls[0].arguments[0], /^advance: clock_jump/)
    const yesterday = () => app.engine.board('xp').archive('daily', { earlier: 1, nowMs: begun + 48 * HOUR_MS })
    assert.throws(yesterday, { code: 'period_open' })
    minute(begun + 48 * HOUR_MS)
    assert.equal(said.mock.callCount(), 1)
    assert.ok(yesterday().archive, 'the period is closed')
    await app.close()
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
    app = createApp({ rules, secret: readFileSync(data('secret.txt'), 'utf8').trim(), nowMs: () => nowMs })
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
        app.engine.advance({ nowMs: line.receivedMs })
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
    assert.equal(`digest ${app.engine.digest()}`, readFileSync(data('season.digest'), 'utf8').trim())
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
