import { once } from 'node:events'
import { createServer } from 'node:net'

const taken = new Set<number>()

/**
 * A port that a server can have again after a restart: below those that systems hand out to clients, so that no connection
 * takes it in between. Never the same twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (taken.has(port)) continue
    taken.add(port)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
