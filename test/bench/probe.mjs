// Loaded into every process of the bench, the built program included: tells its CPU time, its memory and what it has read
// from servers when asked. Plain JavaScript, because the program has to start as its users start it, without a loader.
import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'

/** Connections that are open, with the port at their other end. */
const open = new Map()
/** Bytes that were read from those that are closed, by port. */
const closed = new Map()

subscribe('net.client.socket', ({ socket }) => {
  socket.once('connect', () => open.set(socket, socket.remotePort))
  socket.once('close', () => {
    const port = open.get(socket)
    if (open.delete(socket)) closed.set(port, (closed.get(port) ?? 0) + socket.bytesRead)
  })
})

function servers() {
  const found = {}
  for (const [port, receivedBytes] of closed) found[port] = { connections: 0, receivedBytes }
  for (const [socket, port] of open) {
    const { connections = 0, receivedBytes = 0 } = found[port] ?? {}
    found[port] = { connections: connections + 1, receivedBytes: receivedBytes + socket.bytesRead }
  }
  return found
}

process.on('message', ({ id, command }) => {
  if (command !== 'usage' && command !== 'collect') return
  if (command === 'collect') {
    // Once for what is young, once for what that leaves; needs --expose-gc.
    globalThis.gc()
    globalThis.gc()
  }
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  process.send({ id, reply: { cpuUs: user + system, rssBytes: rss, heapBytes: heapUsed, servers: servers() } })
})
// Nothing is left behind when the bench itself is killed.
process.on('disconnect', () => process.exit())
// A program that has nothing else to do must be able to end.
process.channel.unref()
