// What users write in TypeScript, and what the types must refuse.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

test('tsc --strict passes on tests/types', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path('../node_modules/typescript/bin/tsc'), '--strict', '--noEmit', '-p', path('types')], { encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
})

test('the package brings the schema of rules', () => {
  const schema = createRequire(import.meta.url)('liveops/rules.v1.json')
  assert.deepEqual(schema.$defs.Document.required, ['version', 'game'])
})
