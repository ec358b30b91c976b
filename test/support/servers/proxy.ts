// A port in front of a server's that counts who comes.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string
  /** How many connections there were. */
  connections(): number
}

/** `target`: `host:port`. */
export async function startProxy(target: string): Promise<Proxy> {
  const [host = '', port = ''] = target.split(':')
  const open = new Set<Socket>()
  let connections = 0
  const keep = (socket: Socket): void => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy())
  }
  const server = createServer((socket) => {
    connections++
    const inner = connect(Number(port), host)
    keep(socket)
    keep(inner)
    socket.pipe(inner).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
