// The sample season in Node ends in the state that all three languages agree on.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
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

test('standard input, and what cannot be read', () => {
  const line = '{"receivedMs":1793340000835,"headers":{},"body":"{}"}'
  const few = replay(['-'], `${line}\nnot json\n{"receivedMs":1.5}\n${line}`)
  assert.match(few.stdout, /lines {8}4, 2 of them broken[^]*2 {2}missing_header[^]*digest v1:/)
  for (const args of [['nowhere.ndjson'], ['-', 'nowhere.json']]) {
    const { status, stderr } = replay(args)
    assert.deepEqual([status, /nowhere/.test(stderr)], [2, true], stderr)
  }
})
