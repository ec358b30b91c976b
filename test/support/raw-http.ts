// HTTP as bytes, for what no client would send.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawConnection {
  readonly socket: Socket
  send(text: string): void
  /** Resolves with all that came so far, once it contains `text`; rejects when the server closes before. */
  receive(text: string): Promise<string>
  /** Resolves with all that came, once the server closed the connection. */
  closed(): Promise<string>
}

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  // A server that closes on bytes unread resets the connection: for these tests that is a close like any other.
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  return {
    socket,
    send: (text) => {
      socket.write(text, 'latin1')
    },
    receive: async (text) => {
      while (!received.includes(text)) {
        if (socket.closed) throw new Error(`closed before '${text}' came; received: ${received}`)
        await Promise.race([once(socket, 'data'), closed])
      }
      return received
    },
    closed: async () => {
      await closed
      return received
    },
  }
}
