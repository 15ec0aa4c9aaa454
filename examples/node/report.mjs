// What an operator wants to see after a run, in plain text of a hundred columns.

const WIDTH = 100
const TOP = 10
const BANDS_MAX = 25
const CLOSED_MAX = 12
const SUSPECTS_MAX = 30
const WINDOWS = ['daily', 'weekly', 'monthly', 'seasonal', 'allTime']

/** The whole report; its last line is `digest v1:<hex>`. */
export async function report (run) {
  const { engine, season } = run
  const levels = []
  for (const player of season.players) levels.push((await engine.playerAsync(player))?.level ?? 1)
  const suspicions = []
  for await (const suspicion of engine.suspicionsAsync()) suspicions.push(suspicion)
  return [
    `${run.rules.game} from ${run.source}`, '', ...speed(run),
    ...heading('Outcomes', 'by code, most frequent first'), ...outcomes(run.season),
    ...heading('Players', 'by level'), ...players(levels, season),
    ...heading('Rewards', 'granted in this run'), ...rewards(run.season),
    ...boards(run),
    ...heading('Closed', 'periods that ended in this run, with who was first'), ...closed(run.season),
    ...heading('Flagged and held', 'for a person to review; nobody is banned'), ...suspects(suspicions),
    '', `digest ${await engine.digestAsync()}`
  ].map((line) => line.trimEnd()).join('\n')
}

function speed ({ season, lines, seconds }) {
  const minute = (ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
  const broken = season.broken === 0 ? '' : `, ${number(season.broken)} of them broken and left out`
  return [
    ...(season.first === undefined ? [] : [`received     ${minute(season.first)} to ${minute(season.last)}`]),
    `lines        ${number(lines)}${broken}`,
    ...(season.skipped === 0 ? [] : [`resumed      after ${number(season.skipped)} lines that the store holds`]),
    `speed        ${number(Math.floor(lines / seconds))} events a second: read, verified, validated, decided, committed in ${seconds.toFixed(2)} s`
  ]
}

function outcomes ({ outcomes, effects }) {
  const total = sum([...outcomes.values()])
  const counts = [...outcomes].sort(([a, x], [b, y]) => y - x || order(a, b))
  const cells = counts.map(([code, count]) => {
    const permille = Math.floor(count * 1000 / total)
    return `${number(count).padStart(9)}  ${code.padEnd(22)}${String(Math.floor(permille / 10)).padStart(3)}.${permille % 10} %`
  })
  const rows = Math.max(1, Math.ceil(cells.length / 2))
  const late = effects.filter((effect) => effect.late.length > 0).length
  const lines = sideBySide([cells.slice(0, rows), cells.slice(rows)], WIDTH / 2)
  return late === 0 ? lines : [...lines, '', `  ${number(late)} applied events came too late for a period and count on longer ones.`]
}

function players (levels, season) {
  const step = Math.max(1, Math.ceil(Math.max(1, ...levels) / BANDS_MAX))
  const bands = Array(Math.floor((Math.max(1, ...levels) - 1) / step) + 1).fill(0)
  for (const level of levels) bands[Math.floor((level - 1) / step)]++
  const most = Math.max(1, ...bands)
  const rows = bands.map((count, band) => {
    const label = step === 1 ? `level ${band + 1}` : `level ${band * step + 1}-${(band + 1) * step}`
    return `  ${label.padEnd(14)}${number(count).padStart(9)}  ${'#'.repeat(Math.ceil(count * 64 / most))}`
  })
  const of = (name) => sum(season.effects.map((effect) => effect.xp[name]))
  return [...rows, '', `  ${number(levels.length)} players, ${number(of('granted'))} XP granted, of which ` +
    `${number(Math.max(0, of('boost')))} by boosts; ${number(of('overDailyCap'))} withheld by the daily cap`]
}

function rewards ({ effects }) {
  const prizes = new Map()
  for (const { reward, items } of effects.flatMap((effect) => effect.receipts)) {
    const prize = prizes.get(reward) ?? { times: 0, items: new Map() }
    prizes.set(reward, prize)
    prize.times++
    for (const { kind, id, amount } of items) {
      const known = prize.items.get(`${kind} ${id}`)
      prize.items.set(`${kind} ${id}`, { kind, id, amount: amount + (known?.amount ?? 0) })
    }
  }
  const rows = [...prizes].sort(([a], [b]) => order(a, b)).map(([name, { times, items }]) => {
    const sorted = [...items.values()].sort((a, b) => order(a.kind, b.kind) || order(a.id, b.id))
    const told = sorted.map(({ kind, id, amount }) => `${number(amount)} ${id} (${kind})`).join(', ')
    return `${number(times).padStart(9)} x ${name.padEnd(22)} ${told}`
  })
  return rows.length === 0 ? ['  none'] : rows
}

/** The top ten of every board in every window. */
function boards ({ engine, rules, document, season }) {
  const nowMs = season.last ?? 0
  return Object.entries(rules.boards).flatMap(([name, windows]) => {
    const board = engine.board(name)
    const tables = WINDOWS.filter((window) => window in windows).flatMap((window) => {
      // Between two seasons there is none.
      const period = rules.calendar.period(window, nowMs)
      if (period === null) return []
      const standings = board.of(period)
      const rows = standings.top(TOP).map(({ rank, playerId, score }) =>
        `${String(rank).padStart(4)}. ${playerId.slice(0, 16).padEnd(16)}${number(score).padStart(9)}`)
      const title = window === 'allTime' ? 'all time' : `${window} ${period.label}`
      return [[`  ${title}`, `  ${number(standings.length)} ranked`, ...rows]]
    })
    const lines = heading(`Board ${name}`, described(document.boards[name]))
    for (let at = 0; at < tables.length; at += 3) {
      if (at > 0) lines.push('')
      lines.push(...sideBySide(tables.slice(at, at + 3), 33))
    }
    return lines
  })
}

function described ({ value, operator = 'incr', order = 'desc' }) {
  const what = typeof value === 'number' ? `${value} an event` : value.field ?? { requestedXp: 'XP asked for', grantedXp: 'XP granted' }[value]
  const how = { incr: 'sum of', best: 'best', set: 'latest', decr: 'less' }[operator]
  return `${how} ${what}, ${order === 'desc' ? 'highest first' : 'lowest first'}`
}

/** Periods that closed, window by window. */
function closed ({ closings }) {
  if (closings.length === 0) return ['  none']
  return WINDOWS.flatMap((window) => {
    const periods = closings.filter((closing) => closing.window === window)
    const earlier = Math.max(0, periods.length - CLOSED_MAX)
    const rows = periods.slice(earlier).map(({ label, closesAt, winners }) => {
      const at = new Date(closesAt).toISOString().slice(5, 16).replace('T', ' ')
      const first = winners.map(({ board, playerId, score }) => `${board}: ${playerId} ${number(score)}`).join(' | ')
      return `  ${window.padEnd(9)}${label.padEnd(11)} closed ${at}  ${first}`
    })
    return earlier === 0 ? rows : [`  ${window.padEnd(9)}${earlier} earlier ones`, ...rows]
  })
}

/** Players that a detector minded: held ones first, then by how often. */
function suspects (suspicions) {
  const found = new Map()
  for (const { playerId, event, verdicts } of suspicions) {
    for (const verdict of verdicts) {
      const key = `${playerId} ${verdict.detector}`
      const suspect = found.get(key) ?? { playerId, detector: verdict.detector, times: 0, worst: verdict, kind: event.type }
      found.set(key, suspect)
      suspect.times++
      if (strength(verdict) > strength(suspect.worst)) Object.assign(suspect, { worst: verdict, kind: event.type })
    }
  }
  const isFlagged = ({ worst }) => Number(worst.action !== 'hold')
  const all = [...found.values()].sort((a, b) => isFlagged(a) - isFlagged(b) || b.times - a.times ||
    order(a.playerId, b.playerId) || order(a.detector, b.detector))
  const held = suspicions.filter((suspicion) => suspicion.held).length
  const lines = [`  ${number(new Set(all.map(({ playerId }) => playerId)).size)} players, ${number(suspicions.length)} events: ` +
    `${number(suspicions.length - held)} flagged, ${number(held)} held`]
  for (const suspect of all.slice(0, SUSPECTS_MAX)) {
    const { playerId, detector, times, worst, kind } = suspect
    const action = isFlagged(suspect) ? 'flagged' : 'held'
    lines.push('', `  ${playerId.padEnd(22)} ${action} ${number(times)} x by ${detector} (${kind})`)
    lines.push(`    ${REASONS[worst.reason] ?? worst.reason}`, `    ${figures(worst)}`)
  }
  return all.length > SUSPECTS_MAX ? [...lines, '', `  and ${all.length - SUSPECTS_MAX} more`] : lines
}

const REASONS = {
  farFromMean: 'The value is more standard deviations from the player\'s mean than the threshold allows.',
  farFromRecent: 'The value is more standard deviations from the player\'s recent values than the threshold allows.',
  changeAfterConstancy: 'The value differs from earlier values that were all the same.',
  farAboveUsual: 'The value is more times as large as is usual than the threshold allows.',
  belowFloor: 'The duration is shorter than the rules hold possible.'
}

/** For a floor, what is further below it; else what is further away. */
const strength = ({ score, reason }) => reason === 'belowFloor' ? -score : score

/** The numbers behind a verdict, in the unit of the value. */
function figures ({ score, threshold, direction, reason, baseline: { mean, sd, n, source } }) {
  const value = mean + (direction === 'high' ? 1 : -1) * score * sd
  const from = {
    player: `from ${n} earlier values of the player`,
    population: `from what is known of all players and ${n} values of this one`
  }[source] ?? 'from the rules'
  const scored = `score ${score.toFixed(1)}, threshold ${threshold}; ${from}.`
  if (reason === 'belowFloor') return `${score.toFixed(0)} ms, where ${threshold.toFixed(0)} is the least.`
  // This detector works on ln(1 + x).
  if (reason === 'farAboveUsual') return `${Math.expm1(value).toFixed(0)}, usual ${Math.expm1(mean).toFixed(0)}; ${scored}`
  if (reason === 'changeAfterConstancy') return `Always ${mean.toFixed(0)}; ${from}.`
  return `${value.toFixed(0)}, mean ${mean.toFixed(0)}, deviation ${sd.toFixed(1)}; ${scored}`
}

function heading (title, detail) {
  const line = `${title}, ${detail}`
  return ['', line, '-'.repeat(line.length)]
}

/** Columns of lines beside each other; a cell that is too long is shortened. */
function sideBySide (columns, width) {
  const rows = Math.max(0, ...columns.map((column) => column.length))
  return Array.from({ length: rows }, (_, row) =>
    columns.map((column) => (column[row] ?? '').slice(0, width - 1).padEnd(width)).join('').trimEnd())
}

const number = (value) => value.toLocaleString('en-US')
const sum = (values) => values.reduce((total, value) => total + value, 0)
const order = (a, b) => a < b ? -1 : a > b ? 1 : 0
