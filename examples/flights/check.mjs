// An independent computation of what flights.py computes: straight from the Parquet file, with
// sorted lists and BigInt fractions instead of NumPy's histograms, and without convert.mjs.
//
//   node check.mjs SRC.parquet RESULTDIR [--min-flights N] [--top N] [--title TEXT]
//
// The options are those that flights.py ran with (defaults: 100, 20, "Flight delays").
// Compares every cell of the tables and every value of summary.json exactly, and looks into
// chart.svg: well-formed XML, and the label and the figures of each expected airport.
// Prints "N cells equal" and exits 0, or the first differences and exits 1.
import fs from 'node:fs'
import path from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const kDifferencesShown = 10
const kLate = 15

function parseArguments(argv) {
  const options = { 'min-flights': '100', top: '20', title: 'Flight delays' }
  const places = []
  for (let i = 0; i < argv.length; i++) {
    if (!argv[i].startsWith('--')) {
      places.push(argv[i])
      continue
    }
    const name = argv[i].slice(2)
    if (!(name in options) || argv[++i] === undefined) places.length = 3
    options[name] = argv[i]
  }
  if (places.length !== 2) {
    console.error(
      'usage: node check.mjs SRC.parquet RESULTDIR [--min-flights N] [--top N] [--title TEXT]')
    process.exit(2)
  }
  const [source, result] = places
  const { top, title } = options
  return { source, result, minFlights: Number(options['min-flights']), top: Number(top), title }
}

// ---- the expected figures -------------------------------------------------------------------

// Delays grouped by airport and hour: groups.get('ORD')[17] is a list of numbers.
async function readGroups(source) {
  const file = await asyncBufferFromFile(source)
  const metadata = await parquetMetadataAsync(file)
  const groups = new Map()
  const airports = new Set()
  let [first, last] = [Infinity, -Infinity]
  let start = 0
  for (const { num_rows: count } of metadata.row_groups) {
    const end = start + Number(count)
    const range = { rowStart: start, rowEnd: end }
    const rows = await parquetReadObjects({ file, metadata, compressors, ...range })
    for (const { date, delay, origin, destination } of rows) {
      let hours = groups.get(origin)
      if (!hours) groups.set(origin, (hours = Array.from({ length: 24 }, () => [])))
      hours[date.getUTCHours()].push(Number(delay))
      airports.add(origin).add(destination)
      const time = date.getTime()
      if (time < first) first = time
      if (time > last) last = time
    }
    start = end
  }
  const minute = (time) => new Date(time).toISOString().slice(0, 16)
  return { groups, airports: airports.size, first: minute(first), last: minute(last) }
}

// numerator/denominator with `places` decimals, half away from zero, by comparing remainders.
function rounded(numerator, denominator, places) {
  const unit = 10n ** BigInt(places)
  const [n, d] = [BigInt(numerator) * unit, BigInt(denominator)]
  let quotient = n / d // towards zero
  const rest = n % d
  if ((rest < 0n ? -rest : rest) * 2n >= d) quotient += n < 0n ? -1n : 1n
  const digits = String(quotient < 0n ? -quotient : quotient).padStart(places + 1, '0')
  return `${quotient < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`
}

// The five cells that follow a row's name.
function figures(sorted) {
  const n = sorted.length
  if (n === 0) return ['0', '', '', '', '']
  let sum = 0
  let late = 0
  for (const delay of sorted) {
    sum += delay
    if (delay > kLate) late++
  }
  const middle = n % 2 ? 2 * sorted[(n - 1) / 2] : sorted[n / 2 - 1] + sorted[n / 2]
  const p90 = sorted[Math.ceil((n * 9) / 10) - 1]
  const share = rounded(late * 100, n, 2)
  return [String(n), rounded(sum, n, 2), rounded(middle, 2, 1), String(p90), share]
}

const sortedList = (lists) => Int32Array.from(lists.flat()).sort()
const sumOf = (list) => list.reduce((a, b) => a + b, 0)
const meanOf = (list) => (list.length ? rounded(sumOf(list), list.length, 2) : '')

function expectedTables({ groups }, { minFlights, top }) {
  const listed = [...groups]
    .map(([airport, hours]) => ({ airport, hours, delays: sortedList(hours) }))
    .filter(({ delays }) => delays.length >= minFlights)
    .sort((a, b) => b.delays.length - a.delays.length || (a.airport < b.airport ? -1 : 1))
  const head = ['flights', 'mean_delay_min', 'median_delay_min', 'p90_delay_min', 'late_share_pct']
  const byHour = Array.from({ length: 24 }, (_, hour) =>
    Int32Array.from([...groups.values()].flatMap((hours) => hours[hour])).sort())
  const shown = listed.slice(0, top)
  const cells = shown.flatMap(({ airport, hours }) => hours.map((list, hour) =>
    [airport, String(hour), String(list.length), meanOf(list)]))
  return {
    listed,
    cells,
    shown: shown.map(({ airport }) => airport),
    tables: {
      'by_airport.csv': [
        ['airport', ...head],
        ...listed.map(({ airport, delays }) => [airport, ...figures(delays)]),
      ],
      'by_hour.csv': [
        ['hour', ...head],
        ...byHour.map((list, hour) => [String(hour), ...figures(list)]),
      ],
      'airport_hour.csv': [['airport', 'hour', 'flights', 'mean_delay_min'], ...cells],
    },
  }
}

function expectedSummary(read, { listed }, { minFlights, top, title }) {
  const [flights, mean, median, p90, share] = figures(sortedList([...read.groups.values()].flat()))
  // a/b < c/d as ad < cb; the airport's code decides between equal means.
  const byMean = listed
    .map(({ airport, delays }) => ({ airport, sum: sumOf(delays), n: delays.length }))
    .sort((a, b) => a.sum * b.n - b.sum * a.n || (a.airport < b.airport ? -1 : 1))
  return {
    title,
    min_flights: minFlights,
    top,
    late_means_above_min: kLate,
    first_departure: read.first,
    last_departure: read.last,
    airports: read.airports,
    airports_listed: listed.length,
    'all.flights': +flights,
    'all.mean_delay_min': +mean,
    'all.median_delay_min': +median,
    'all.p90_delay_min': +p90,
    'all.late_share_pct': +share,
    least_delayed_airport: byMean.at(0)?.airport ?? null,
    most_delayed_airport: byMean.at(-1)?.airport ?? null,
  }
}

// ---- the comparison -------------------------------------------------------------------------

class Comparison {
  equal = 0
  differences = []

  cell(where, expected, actual) {
    if (expected === actual) {
      this.equal++
      return
    }
    const [wanted, found] = [expected, actual].map((value) => JSON.stringify(value))
    this.differences.push(`${where}: expected ${wanted}, found ${found}`)
  }

  table(name, expected, text) {
    if (!text.endsWith('\n')) this.differences.push(`${name}: no newline at the end`)
    const lines = text.replace(/\n$/, '').split('\n')
    if (lines.length !== expected.length) {
      this.differences.push(`${name}: expected ${expected.length} lines, found ${lines.length}`)
    }
    expected.forEach((row, i) => {
      const cells = (lines[i] ?? '').split(',')
      const line = `${name} line ${i + 1}`
      if (cells.length !== row.length) this.differences.push(`${line}: ${cells.length} cells`)
      row.forEach((cell, j) => this.cell(`${line} column ${j + 1}`, cell, cells[j]))
    })
  }

  summary(expected, text) {
    const { all, ...rest } = JSON.parse(text)
    const flat = { ...rest }
    for (const [key, value] of Object.entries(all)) flat[`all.${key}`] = value
    for (const key of new Set([...Object.keys(expected), ...Object.keys(flat)])) {
      this.cell(`summary.json ${key}`, expected[key], flat[key])
    }
  }

  chart(expected, title, text) {
    const { error, texts } = parseXml(text)
    if (error) {
      this.differences.push(`chart.svg isn't well-formed: ${error}`)
      return
    }
    const present = (what) => this.cell(`chart.svg text "${what}"`, true, texts.has(what))
    present(title)
    expected.shown.forEach(present)
    for (const [airport, hour, flights, mean] of expected.cells) {
      present(`${airport} ${hour.padStart(2, '0')}:00 mean ${mean || '-'} min, ${flights} flights`)
    }
  }
}

const kEntities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const kAttribute = /([\w:.-]+)\s*=\s*(?:"[^"<]*"|'[^'<]*')/
const kToken = new RegExp([
  /<\/([\w:.-]+)\s*>/, // an end tag
  // a start tag
  new RegExp(`<([\\w:.-]+)((?:\\s+${kAttribute.source.replace('(', '(?:')})*)\\s*(\\/?)>`),
  /<!--(?:(?!--)[^])*-->/, // a comment
  /[^<]+/, // text
].map((part) => part.source).join('|'), 'y')

// Checks that the text is well-formed XML (neither declaration nor DTD) and collects the text of
// each leaf element.
function parseXml(xml) {
  const open = []
  const texts = new Set()
  let content = ''
  let roots = 0
  kToken.lastIndex = 0
  while (kToken.lastIndex < xml.length) {
    const at = kToken.lastIndex
    const token = kToken.exec(xml)
    const bad = (why) => ({ error: `${why} at character ${at}`, texts })
    if (!token) return bad('no markup')
    const [whole, closing, opening, attributes, empty] = token
    const stray = whole.replace(/&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);/g, '')
    if (stray.includes('&')) return bad('a bare &')
    if (opening) {
      const names = [...attributes.matchAll(new RegExp(kAttribute, 'g'))].map((m) => m[1])
      if (new Set(names).size !== names.length) return bad('an attribute twice')
      if (!open.length && roots++) return bad('a second root')
      if (!empty) open.push(opening)
      content = ''
    } else if (closing) {
      if (open.pop() !== closing) return bad(`</${closing}> without its start`)
      texts.add(content.replace(/&(\w+);/g, (_, name) => kEntities[name]))
      content = ''
    } else if (!whole.startsWith('<')) {
      if (!open.length && whole.trim()) return bad('text outside the root')
      content += whole
    }
  }
  return { error: open.length || !roots ? 'the root is open or missing' : undefined, texts }
}

const options = parseArguments(process.argv.slice(2))
const read = await readGroups(options.source)
const expected = expectedTables(read, options)
const comparison = new Comparison()
const load = (name) => fs.readFileSync(path.join(options.result, name), 'utf8')
try {
  for (const [name, rows] of Object.entries(expected.tables)) {
    comparison.table(name, rows, load(name))
  }
  comparison.summary(expectedSummary(read, expected, options), load('summary.json'))
  comparison.chart(expected, options.title, load('chart.svg'))
} catch (error) {
  comparison.differences.push(error.message)
}
for (const line of comparison.differences.slice(0, kDifferencesShown)) {
  console.error(`check: ${line}`)
}
if (comparison.differences.length) {
  const { differences, equal } = comparison
  console.error(`check: ${differences.length} differences, ${equal} cells equal`)
  process.exit(1)
}
console.log(`${comparison.equal} cells equal`)
