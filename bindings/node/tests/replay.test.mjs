// The sample season in Node ends in the state that all three languages agree on.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const replay = (args, input) => spawnSync(process.execPath, ['examples/node/replay.mjs', ...args], { cwd: root, encoding: 'utf8', input })

test('the season ends in the committed digest', () => {
  const { status, stdout, stderr } = replay([])
  assert.equal(status, 0, stderr)
  assert.equal(stdout.trimEnd().split('\n').at(-1), readFileSync(`${root}examples/data/season.digest`, 'utf8').trim())
  assert.match(stderr, /rules\.json: warning: \/loot: rolls follow from the game's name/)
  assert.match(stderr, /season\.ndjson:1251: broken line/)
})

const folder = mkdtempSync(join(tmpdir(), 'liveops-'))
after(() => rmSync(folder, { recursive: true }))

test('in a file, killed and run again, it ends in the committed digest', { timeout: 120_000 }, async () => {
  const file = join(folder, 'game.db')
  const digest = readFileSync(`${root}examples/data/season.digest`, 'utf8').trim()
  const season = readFileSync(`${root}examples/data/season.ndjson`)
  // Killed after a part of the lines: the rest never comes.
  let skipped = 0
  for (const part of [0.3, 0.6]) {
    const child = spawn(process.execPath, ['examples/node/replay.mjs', '--store', file, '-'], { cwd: root, stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.on('error', () => {})
    child.stdin.write(season.subarray(0, Math.floor(season.length * part)))
    await until(() => existsSync(file) && sizeOf(file) > (part === 0.3 ? 200_000 : 500_000))
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for (const isFirst of [true, false]) {
    const { status, stdout, stderr } = replay(['--store', file])
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trimEnd().split('\n').at(-1), digest)
    const resumed = Number(/resumed {6}after ([0-9,]+) lines that the store holds/.exec(stdout)[1].replaceAll(',', ''))
    assert.ok(resumed > skipped, 'it went on where the store was')
    skipped = resumed
    if (!isFirst) assert.ok(resumed > 4_900)
  }
})

/** The file with its log. */
const sizeOf = (file) => [file, `${file}-wal`].filter((path) => existsSync(path)).reduce((sum, path) => sum + readFileSync(path).length, 0)

async function until (isSo) {
  while (!isSo()) await setTimeout(5)
}

test('standard input, and what cannot be read', () => {
  const line = '{"receivedMs":1793340000835,"headers":{},"body":"{}"}'
  const few = replay(['-'], `${line}\nnot json\n{"receivedMs":1.5}\n${line}`)
  assert.match(few.stdout, /lines {8}4, 2 of them broken[^]*2 {2}missing_header[^]*digest v1:/)
  for (const args of [['nowhere.ndjson'], ['-', 'nowhere.json']]) {
    const { status, stderr } = replay(args)
    assert.deepEqual([status, /nowhere/.test(stderr)], [2, true], stderr)
  }
})
