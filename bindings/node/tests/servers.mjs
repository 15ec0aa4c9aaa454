// Servers of one's own: Redis, a cluster and PostgreSQL, started by the program that `LIVEOPS_TESTBED` names, gone with this process.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'

/** On a socket of its own; a cluster on free ports of the loopback. */
export async function serve (kind, ...settings) {
  const program = process.env.LIVEOPS_TESTBED
  if (program === undefined) throw new Error('LIVEOPS_TESTBED names no program: `cargo xtask test node` builds liveops-testbed and names it')
  const testbed = spawn(program, [kind, ...settings], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(testbed, 'exit')
  let said = ''
  for await (const chunk of testbed.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += chunk
    if (said.endsWith('\n')) break
  }
  if (said === '') throw new Error(`no ${kind} was started: its reason is above`)
  // PostgreSQL's own form of an address has blanks in it.
  const urls = kind === 'cluster' ? said.trim().split(' ') : [said.trim()]
  const send = (signal) => {
    for (const pid of descendants(testbed.pid)) {
      try {
        process.kill(pid, signal)
      } catch (error) {
        if (error.code !== 'ESRCH') throw error
      }
    }
  }
  return {
    urls,
    url: urls[0],
    /** It answers nobody, and no connection is closed. */
    stop: () => send('SIGSTOP'),
    goOn: () => send('SIGCONT'),
    async close () {
      send('SIGCONT')
      testbed.stdin.end()
      await ended
    }
  }
}

function descendants (pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number))
  return children.flatMap((child) => [child, ...descendants(child)])
}
