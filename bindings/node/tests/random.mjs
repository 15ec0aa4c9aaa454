// Random values from a seed, which is printed: `SEED=... node --test <file>` gives the same again.

import { randomInt } from 'node:crypto'

/** For one test: `t.diagnostic` prints the seed. */
export function seeded (t) {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 32))
  t.diagnostic(`SEED=${seed}`)
  let state = seed >>> 0
  // Mulberry32, by Tommy Ettinger.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit) => Math.floor(next() / 2 ** 32 * limit)
  const pick = (values) => values[below(values.length)]
  return {
    below,
    pick,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
    text: (length, alphabet) => Array.from({ length }, () => pick(alphabet)).join('')
  }
}
