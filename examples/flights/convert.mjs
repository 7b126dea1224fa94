// The data owner's converter: flights-3m.parquet (npm vega-datasets, BSD-3) -> plain columns that
// NumPy maps without copying. The Parquet reader is npm's hyparquet with hyparquet-compressors.
//
//   node convert.mjs SRC.parquet OUTDIR [--canary TEXT]
//
// OUTDIR then holds
//   minutes.npy      int32   departure, minutes since 1970-01-01 00:00, local time of the airport
//   delay.npy        int16   minutes late at arrival, negative when early
//   distance.npy     int16   miles
//   origin.npy       uint16  line number (from 0) in airports.txt
//   destination.npy  uint16  the same
//   airports.txt     one airport code a line, in the order of first appearance
//   canary.txt       TEXT, only with --canary: a unique string to look for where it must not be
//
// The rows keep their order and the same source gives the same bytes. One row group is in memory at
// a time. OUTDIR appears whole or not at all; an older one is replaced if nothing else lies in it.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const kMicrosPerMinute = 60_000_000n
const kAirportsMax = 65535 // uint16 codes
const kAirportCode = /^[A-Z0-9]{3,4}$/
const kNpyHeaderBytes = 128

const kColumns = [
  { name: 'date', file: 'minutes.npy', descr: '<i4', array: Int32Array, type: 'INT64',
    logical: 'TIMESTAMP', unit: 'MICROS' },
  { name: 'delay', file: 'delay.npy', descr: '<i2', array: Int16Array, type: 'INT64' },
  { name: 'distance', file: 'distance.npy', descr: '<i2', array: Int16Array, type: 'INT64' },
  { name: 'origin', file: 'origin.npy', descr: '<u2', array: Uint16Array, type: 'BYTE_ARRAY',
    logical: 'STRING' },
  { name: 'destination', file: 'destination.npy', descr: '<u2', array: Uint16Array,
    type: 'BYTE_ARRAY', logical: 'STRING' },
]
const kAirportsFile = 'airports.txt'
const kCanaryFile = 'canary.txt'
const kFiles = new Set([...kColumns.map((c) => c.file), kAirportsFile, kCanaryFile])

class UserError extends Error {}

function fail(message) {
  throw new UserError(message)
}

function parseArguments(argv) {
  const usage = 'usage: node convert.mjs SRC.parquet OUTDIR [--canary TEXT]'
  const places = []
  let canary
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--canary') {
      canary = argv[++i] ?? fail(usage)
    } else if (argv[i].startsWith('--')) {
      fail(`unknown option ${argv[i]}\n${usage}`)
    } else {
      places.push(argv[i])
    }
  }
  if (places.length !== 2) fail(usage)
  return { source: places[0], out: path.resolve(places[1]), canary }
}

// Compares the file's schema with kColumns and names every difference.
function checkSchema(metadata) {
  const [, ...found] = metadata.schema
  const describe = (...words) => words.filter(Boolean).join(' ')
  const wanted = kColumns.map((c) => describe(c.name, c.type, c.logical, c.unit))
  const got = found.map(({ name, type = 'GROUP', logical_type: logical }) =>
    describe(name, type, logical?.type, logical?.unit))
  const wrong = wanted.filter((w) => !got.includes(w)).map((w) => `missing "${w}"`)
    .concat(got.filter((g) => !wanted.includes(g)).map((g) => `unexpected "${g}"`))
  if (wrong.length) fail(`wrong schema: ${wrong.join(', ')}`)
}

// The .npy format 1.0: magic, version, header length, a Python dict padded to 128 bytes in all.
function npyHeader(descr, rows) {
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${rows},), }`
  const header = Buffer.alloc(kNpyHeaderBytes, ' ')
  header.write('\x93NUMPY\x01\x00', 0, 'latin1')
  header.writeUInt16LE(kNpyHeaderBytes - 10, 8)
  header.write(dict, 10, 'latin1')
  header.write('\n', kNpyHeaderBytes - 1, 'latin1')
  return header
}

// Codes of airports, given out in the order of first appearance.
class Airports {
  #codes = new Map()

  code(name) {
    let code = this.#codes.get(name)
    if (code === undefined) {
      if (!kAirportCode.test(name)) fail(`"${name}" is no airport code`)
      if (this.#codes.size >= kAirportsMax) fail(`more than ${kAirportsMax} airports`)
      code = this.#codes.size
      this.#codes.set(name, code)
    }
    return code
  }

  get names() {
    return [...this.#codes.keys()]
  }
}

function minuteOf(micros) {
  if (micros % kMicrosPerMinute !== 0n) fail(`date of ${micros} us isn't a whole minute`)
  return Number(micros / kMicrosPerMinute)
}

function encode(column, value, airports) {
  if (value === null || value === undefined) fail('empty value')
  switch (column.type) {
    case 'BYTE_ARRAY': return airports.code(value)
    case 'INT64': return Number(value)
  }
  return fail(`no encoding for ${column.type}`)
}

// Reads rows [start, end) of one column and returns them as the column's typed array.
async function readColumn(input, column, start, end, airports) {
  const out = new column.array(end - start)
  const chunks = []
  await parquetRead({
    ...input,
    columns: [column.name],
    rowStart: start,
    rowEnd: end,
    onChunk: (chunk) => chunks.push(chunk),
  })
  let filled = 0
  for (const chunk of chunks.sort((a, b) => a.rowStart - b.rowStart)) {
    for (const value of chunk.columnData) {
      const row = start + filled
      if (row >= end) fail(`column ${column.name} has more rows than its row group says`)
      let encoded
      try {
        encoded = encode(column, value, airports)
      } catch (error) {
        fail(`column ${column.name}, row ${row}: ${error.message}`)
      }
      out[filled] = encoded
      if (out[filled] !== encoded) {
        fail(`column ${column.name}, row ${row}: ${value} doesn't fit ${column.descr}`)
      }
      filled++
    }
  }
  if (filled !== out.length) fail(`column ${column.name}: ${filled} rows instead of ${out.length}`)
  return out
}

async function convert(source, directory) {
  const file = await asyncBufferFromFile(source)
    .catch((error) => fail(`can't read ${source}: ${error.message}`))
  const metadata = await parquetMetadataAsync(file)
    .catch((error) => fail(`${source} is no Parquet file: ${error.message}`))
  checkSchema(metadata)
  const rows = Number(metadata.num_rows)
  const airports = new Airports()
  const input = { file, metadata, compressors, parsers: { timestampFromMicroseconds: minuteOf } }
  const outputs = kColumns.map((c) => fs.openSync(path.join(directory, c.file), 'wx'))
  kColumns.forEach((c, i) => fs.writeSync(outputs[i], npyHeader(c.descr, rows)))
  let start = 0
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows)
    for (const [i, column] of kColumns.entries()) {
      const data = await readColumn(input, column, start, end, airports)
      fs.writeFileSync(outputs[i], Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    }
    start = end
  }
  outputs.forEach((fd) => fs.closeSync(fd))
  if (start !== rows) fail(`${source} says ${rows} rows and has ${start}`)
  const { names } = airports
  fs.writeFileSync(path.join(directory, kAirportsFile), names.map((n) => `${n}\n`).join(''))
  return { rows, airports: names.length }
}

function refuseForeignFiles(out) {
  const strangers = fs.existsSync(out) ? fs.readdirSync(out).filter((f) => !kFiles.has(f)) : []
  if (strangers.length) {
    fail(`${out} holds other files (${strangers.slice(0, 3).join(', ')}); name a new folder`)
  }
}

async function main() {
  const { source, out, canary } = parseArguments(process.argv.slice(2))
  if (os.endianness() !== 'LE') fail('the columns are little-endian and this machine is not')
  const began = performance.now()
  refuseForeignFiles(out)
  fs.mkdirSync(path.dirname(out), { recursive: true })
  const partial = fs.mkdtempSync(`${out}.partial-`)
  try {
    const { rows, airports } = await convert(source, partial)
    if (canary !== undefined) fs.writeFileSync(path.join(partial, kCanaryFile), `${canary}\n`)
    fs.chmodSync(partial, 0o755)
    fs.rmSync(out, { recursive: true, force: true })
    fs.renameSync(partial, out)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(`${rows} rows, ${airports} airports -> ${out} in ${seconds} s`)
  } finally {
    fs.rmSync(partial, { recursive: true, force: true })
  }
}

try {
  await main()
} catch (error) {
  console.error(`convert: ${error instanceof UserError ? error.message : error.stack}`)
  process.exitCode = 1
}
