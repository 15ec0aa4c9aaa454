// The program that names cheaters: on a log with one of them.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'liveops-'))
after(() => rmSync(folder, { recursive: true }))
const cheaters = (...args) => spawnSync(process.execPath, ['examples/node/cheaters.mjs', ...args], { cwd: root, encoding: 'utf8' })

const line = (playerId, n, deltaXp) =>
  JSON.stringify({ type: 'progression', playerId, ts: 1_792_281_600 + n * 61 + n * n * 7919 % 40, payload: { deltaXp, activity: 'dungeon' } })

test('cheaters are named with the reason', () => {
  const log = join(folder, 'log.ndjson')
  const each = (count, of) => Array.from({ length: count }, (_, n) => of(n))
  const honest = each(250, (who) => each(40, (n) => line(`p${who}`, n, 2000 + (who * 131 + n * 977) % 6000))).flat()
  const burst = each(40, (n) => line('eve', n, n < 25 ? 2000 + n * 977 % 6000 : 400_000))
  writeFileSync(log, ['no event', ...honest, ...burst].join('\n'))
  const { status, stdout, stderr } = cheaters(log)
  assert.equal(status, 0, stderr)
  const [first, named, ...more] = stdout.trimEnd().split('\n')
  assert.match(first, /^10040 events, 1 lines that are none; population [0-9a-f]{12}$/)
  assert.match(named, /^eve 2026-10-18T\d\d:\d\dZ robust: The value is more times as large as is usual/)
  assert.equal(more.at(-1), '1 of 251 players stand out')
  assert.match(cheaters(log, '0').stderr, /^a budget must be finite and above 0/)
  for (const args of [[], ['nothing.ndjson'], [log, '1', '2']]) assert.equal(cheaters(...args).status, 1)
})
