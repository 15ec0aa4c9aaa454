// Calendars: periods, their lives, and named time zones.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Calendar } from '../index.mjs'

const HOUR_MS = 3_600_000
const PAGE = readFileSync(new URL('../../../docs/calendars.md', import.meta.url), 'utf8')
const labels = (periods) => Array.from(periods, ({ label }) => label)

test('periods', () => {
  const tokyo = new Calendar({ utcOffsetMinutes: 540, resetMinute: 300 })
  const time = new Date('2026-12-31T20:00:00Z')
  const day = tokyo.period('daily', time)
  assert.deepEqual([day.label, day.start, day.end - day.start], ['2027-01-01', time.getTime(), 24 * HOUR_MS])
  assert.equal(tokyo.period('weekly', time).label, '2026-W53')
  assert.deepEqual(tokyo.describe(day), day)
  assert.equal(tokyo.describe({ window: 'daily', index: day.index - 1 }).end, day.start)
  assert.deepEqual([tokyo.nextReset('daily', { now: time }), tokyo.nextReset('allTime', { now: time })], [day.end, null])
  assert.deepEqual(tokyo.period('allTime', 0), { window: 'allTime', index: 0, label: 'all-time', start: null, end: null, closesAt: null })
})

test('states follow one another', () => {
  const calendar = new Calendar({ graceSeconds: 3600 })
  const day = calendar.describe({ window: 'daily', index: 20_764 })
  for (const [nowMs, state] of [
    [day.start - 1, 'future'], [day.start, 'open'], [day.end - 1, 'open'], [day.end, 'grace'], [day.closesAt - 1, 'grace'],
    [day.closesAt, 'sealed'], [day.closesAt + 24 * HOUR_MS - 1, 'sealed'], [day.closesAt + 24 * HOUR_MS, 'dropped']
  ]) assert.equal(calendar.state(day, 1, { nowMs }), state, String(nowMs))
})

describe('closings', () => {
  const calendar = new Calendar()

  test('are iterated once and in order', () => {
    const closed = calendar.closedBetween(['daily', 'monthly'], new Date('2026-10-30T12:00:00Z'), new Date('2026-11-01T00:00:00Z'))
    assert.equal(closed[Symbol.iterator](), closed)
    assert.deepEqual(labels(closed), ['2026-10-30', '2026-10-31', '2026-10'])
    assert.deepEqual(labels(closed), [])
  })

  test('are made as they are taken', () => {
    const endless = calendar.closedBetween(['daily'], 0, Number.MAX_SAFE_INTEGER)
    assert.deepEqual([endless.next().value.index, endless.next().value.index], [0, 1])
    // More than cross from the addon at a time, and the last of them exactly at an end.
    for (const days of [63, 64, 65, 128, 200]) {
      const closed = Array.from(calendar.closedBetween(['daily'], 0, days * 24 * HOUR_MS), ({ index }) => index)
      assert.deepEqual(closed, Array.from({ length: days }, (_, index) => index))
    }
  })

  test('arguments are checked at once', () => {
    for (const [windows, after] of [[['hourly'], 0], ['daily', 0], [['daily'], 1.5], [['daily'], '0']]) {
      assert.throws(() => calendar.closedBetween(windows, after, 1), { code: windows[0] === 'hourly' ? 'unknown_window' : 'invalid_argument' })
    }
  })
})

test('a table of seasons', () => {
  const season = (label, from, until) => ({ label, from: `${from}T00:00:00Z`, until: `${until}T00:00:00Z` })
  const [one, two] = [season('one', '2026-11-01', '2026-12-01'), season('two', '2026-12-10', '2027-01-01')]
  const calendar = new Calendar({ seasons: { table: [one, two] } })
  const gap = new Date('2026-12-05T00:00:00Z')
  assert.equal(calendar.period('seasonal', gap), null)
  assert.equal(calendar.nextReset('seasonal', { now: gap }), Date.parse('2026-12-10T00:00:00Z'))
  assert.deepEqual(labels(calendar.closedBetween(['seasonal'], 0, new Date('2028-01-01T00:00:00Z'))), ['one', 'two'])
  const overlapping = { ...two, from: '2026-11-30T00:00:00Z' }
  assert.throws(() => new Calendar({ seasons: { table: [one, overlapping] } }), { code: 'out_of_range', message: /seasons\/table\/1\/from/ })
})

test('the recipe for named time zones', () => {
  const code = PAGE.split('```js\n')[1].split('```')[0]
  const [utcOffsets, berlin] = new Function('Calendar', `${code}\nreturn [utcOffsets, calendar]`)(Calendar)
  assert.deepEqual(utcOffsets('Europe/Berlin', 2026, 2028), {
    utcOffsetMinutes: 60,
    utcOffsetChanges: [
      { from: '2026-03-29T01:00:00Z', minutes: 120 }, { from: '2026-10-25T01:00:00Z', minutes: 60 },
      { from: '2027-03-28T01:00:00Z', minutes: 120 }, { from: '2027-10-31T01:00:00Z', minutes: 60 }
    ]
  })
  assert.deepEqual(utcOffsets('Asia/Kathmandu', 2026, 2028), { utcOffsetMinutes: 345, utcOffsetChanges: [] })
  assert.equal(utcOffsets('America/St_Johns', 2026, 2028).utcOffsetMinutes, -210)
  // The calendar of the page begins its days at five, so that the short one is that of the 28th.
  for (const [date, hours] of [['2026-03-27', 24], ['2026-03-28', 23], ['2026-10-24', 25], ['2026-10-25', 24]]) {
    const { label, start, end } = berlin.period('daily', new Date(`${date}T12:00:00Z`))
    assert.deepEqual([label, end - start], [date, hours * HOUR_MS])
  }
})

test('what makes no calendar', () => {
  const change = { from: '2026-03-29T01:00:00Z', minutes: 120 }
  const zone = (...utcOffsetChanges) => ({ utcOffsetMinutes: 60, utcOffsetChanges })
  for (const options of [
    { resetMinute: 1440 }, { weekStart: 'mon' }, { utcOffsetChanges: [change] }, zone(change, change), zone({ ...change, minutes: 841 }),
    zone({ ...change, from: '2026-03-29' })
  ]) assert.throws(() => new Calendar(options), { name: 'RangeError', code: /^(out_of_range|invalid_format|invalid_argument|missing)$/ }, JSON.stringify(options))
  for (const options of [zone({ ...change, minutes: 1.5 }), zone({ from: new Date(), minutes: 0 }), { utcOffsetMinutes: 1, utcOffsetChanges: {} }]) {
    assert.throws(() => new Calendar(options), TypeError, JSON.stringify(options))
  }
  assert.ok(new Calendar({ utcOffsetMinutes: 60n, utcOffsetChanges: [{ ...change, minutes: 120n }] }))
})
