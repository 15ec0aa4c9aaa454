// Stores, verbs as promises, boards in a period, the feed: as users write them.

import { Command, Engine, MemoryStore, PostgresStore, RedisStore, Rules, SqliteStore, Standings } from 'liveops'
import type { Advanced, Committed, EngineStatus, FeedEntry, FeedPage, Horizon, ItemPage, Lag, Outcome, Player, Row, StoreStatus } from 'liveops'

const rules = Rules.fromJson('{"version": 1, "game": "quests"}')
const store = new SqliteStore('game.db', { feed: 1000, sync: 'full', waitSeconds: 0.5, allowNetworkFileSystem: false })

/** From the first call to the last. */
export async function play (command: Command): Promise<string[]> {
  await using engine = await Engine.open(rules, { store, recording: true })
  const [outcome]: readonly Outcome[] = await Promise.all([engine.submitAsync(command), engine.submitAsync(command)])
  const player: Player | null = await engine.playerAsync('ana')
  const page: ItemPage<Player> = await engine.playersPageAsync(null, 10)
  const names: string[] = [`${outcome?.status} ${player?.level} ${page.next?.length}`]
  for await (const { playerId } of engine.playersAsync()) names.push(playerId)
  for await (const { event } of engine.suspicionsAsync()) names.push(event.type)
  const horizon: Horizon = await engine.advanceAsync({ far: true })
  const feed: FeedPage = await engine.feedPageAsync(null, 5, { partition: 0 })
  await engine.ackAsync('inventory', feed.next)
  const status: StoreStatus = await store.statusAsync()
  await store.backupAsync('copy.db')
  return [...names, ...feed.items.map(named), `${horizon.now} ${status.rounds} ${engine.rules.identity} ${engine.store === store}`]
}

function named (entry: FeedEntry): string {
  if (entry.kind === 'advanced') return `${(entry satisfies Advanced).forgottenBefore}`
  const committed: Committed = entry
  return `${committed.playerId} ${committed.run?.commands.map(({ id }) => id).join()}`
}

/** Over a network. */
export async function share (command: Command, pem: Uint8Array): Promise<string> {
  const tls = { tlsCa: pem, tlsCertificate: '-----BEGIN CERTIFICATE-----', tlsKey: pem }
  const far = new RedisStore('redis://localhost', { partitions: 64, timeoutSeconds: 0.5, outboxEntries: 4096, feed: 0, replicas: 1, allowNoPersistence: true, clockAheadSeconds: null, ...tls })
  const cluster = new RedisStore(['redis://one', 'redis://two'])
  const database = new PostgresStore('postgresql://localhost', { connections: 4, horizonCopies: 8, events: true, clockAheadSeconds: 1, ...tls })
  await using engine = await Engine.open(rules, { store: far, recording: true })
  await using other = await Engine.open(rules, { store: database })
  const outcome: Outcome = await engine.submitAsync(command)
  await other.catchUpAsync()
  const lag: Lag = await other.lagAsync()
  const status: EngineStatus = await engine.statusAsync()
  const now: number = await cluster.nowAsync()
  return `${outcome.code} ${lag.behind} ${lag.ageMillis?.toFixed()} ${status.rulesSeen.join()} ${status.horizon.now} ${now} ${engine.store === far}`
}

// @ts-expect-error PostgreSQL has one address
new PostgresStore(['postgresql://one', 'postgresql://two'])

using memory = new Engine(rules, { store: new MemoryStore({ feed: 5 }) })
const standings: Standings = memory.board('xp').at('weekly', { earlier: 1 })
export const best: Row | undefined = standings.top()[0]
export const same: readonly Row[] = memory.board('xp').of(standings.period).page(0, 5)
export const all: string[] = Array.from(standings, ({ playerId }) => playerId)

// @ts-expect-error a store is an object, not a path
new Engine(rules, { store: 'game.db' })
// @ts-expect-error a board says its window first
memory.board('xp').page('weekly', 0, 5)
// @ts-expect-error a cursor of the feed is a text
memory.ack('inventory', 5)
// @ts-expect-error a promise is awaited
memory.playerAsync('ana')?.level
