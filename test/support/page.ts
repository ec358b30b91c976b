// A page of documentation, read as a newcomer would: its marked blocks are run in order in a fresh copy of the sources, and
// what it says they show is compared with what they print. The mark is the second word of a block's info string:
//   sh run            runs to its end with exit code 0        sh fails   the same with exit code 1
//   sh start NAME     is left running; an earlier NAME is stopped with Ctrl-C first
//   text shows        lines that the block before prints, in this order; `…` is any text
//   text shows NAME   the same of a block that is running
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')
/** What a clone has and `npm start` needs; the dependencies are those that run this test. */
const SOURCES = ['package.json', 'tsconfig.json', '.npmrc', 'src', 'config']
const LONGEST_WAIT_MS = 60_000
const LONGEST_STOP_MS = 40_000

interface Block {
  readonly line: number
  readonly kind: string
  readonly name: string | undefined
  readonly text: string
}

/** A block that runs or has run, with all it printed. */
interface Running {
  readonly child: ChildProcess
  output: string
  exitCode: number | null | undefined
  changed: () => void
}

export interface Page {
  /** From the project's folder. */
  readonly file: string
  /** Ports that its text names. */
  readonly ports: readonly string[]
  /** Blocks of `sh` that are not run, as they stand. */
  readonly notRun: readonly string[]
  readonly kinds: readonly string[]
}

export function describePage({ file, ports: names, notRun, kinds }: Page): void {
  const page = readFileSync(path.join(root, file), 'utf8')
  const blocks = blocksOf(page)
  const named = new Map<string, Running>()
  let folder = ''
  let ports: ReadonlyMap<string, string>
  let last: Running | undefined

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'tidings-page-'))
    for (const each of SOURCES) cpSync(path.join(root, each), path.join(folder, each), { recursive: true })
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
    ports = await freePorts(names)
  })

  after(async () => {
    for (const running of named.values()) await stop(running)
    rmSync(folder, { recursive: true, force: true })
  })

  for (const { line, kind, name, text } of blocks) {
    const title = `${file}:${line} ${kind}: ${text.split('\n')[0]}`
    const missing = missingProgram(kind, text)
    if (missing) it.skip(`${title} [there is no ${missing} here]`)
    else it(title, () => play(kind, name, withPorts(text)))
  }

  it('has no command that is not run, but for those that need not be', () => {
    const unmarked = [...page.matchAll(/^```sh\n([^`]*)^```$/gm)].map(([, text = '']) => text.trim())

    assert.deepEqual(unmarked, notRun)
    assert.deepEqual([...new Set(blocks.map(({ kind }) => kind))].sort(), kinds)
  })

  async function play(kind: string, name: string | undefined, text: string): Promise<void> {
    if (kind === 'shows') {
      const running = name === undefined ? last : named.get(name)
      assert.ok(running, `nothing runs that could show this`)
      return untilShown(running, text)
    }
    const earlier = kind === 'start' && name !== undefined ? named.get(name) : undefined
    if (earlier) await stop(earlier)
    last = run(text)
    if (kind === 'start' && name !== undefined) named.set(name, last)
    else await untilEnded(last, kind === 'fails' ? 1 : 0)
  }

  function run(text: string): Running {
    // Its own process group: Ctrl-C reaches all of it.
    const child = spawn('sh', ['-e', '-c', text.replace('npm ci && ', '')], {
      cwd: folder,
      detached: true,
      env: environment(folder, ports),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const running: Running = { child, output: '', exitCode: undefined, changed: () => undefined }
    const collect = (chunk: string): void => {
      running.output += chunk
      running.changed()
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.on('close', (code) => {
      running.exitCode = code
      running.changed()
    })
    return running
  }

  /** The ports of the text are replaced by free ones, so that the test can run beside a Tidings. */
  function withPorts(text: string): string {
    return text.replace(/\b\d{4}\b/g, (port) => ports.get(port) ?? port)
  }
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(?:sh|text) (\w+)(?: (\w+))?\n([^`]*)^```$/gm)].map(
    ([, kind = '', name, text = ''], i, all) => ({
      line: markdown.slice(0, all[i]?.index).split('\n').length,
      kind,
      name,
      text: text.trimEnd(),
    }),
  )
}

function missingProgram(kind: string, text: string): string | undefined {
  const program = /^[a-z]+/.exec(text)?.[0]
  if (kind === 'shows' || program === undefined) return undefined
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0 ? undefined : program
}

async function untilEnded(running: Running, exitCode: number): Promise<void> {
  await until(running, () => running.exitCode !== undefined, 'it does not end')
  assert.equal(running.exitCode, exitCode, running.output)
}

async function untilShown(running: Running, text: string): Promise<void> {
  const isEnough = (): boolean => firstMissing(running.output, text) === undefined
  await until(running, () => isEnough() || running.exitCode !== undefined, `it does not show\n${text}`)
  assert.equal(firstMissing(running.output, text), undefined, `it shows\n${running.output}`)
}

function until(running: Running, condition: () => boolean, complaint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${complaint}, but\n${running.output}`)), LONGEST_WAIT_MS)
    running.changed = () => {
      if (!condition()) return
      clearTimeout(timer)
      running.changed = () => undefined
      resolve()
    }
    running.changed()
  })
}

/** The first of the wanted lines that the output does not have after those before it. Columns may be wider. */
function firstMissing(output: string, wanted: string): string | undefined {
  const printed = output.split('\n').map(squeezed)
  let at = 0
  for (const line of wanted.split('\n').map(squeezed)) {
    if (line === '') continue
    const pattern = new RegExp(`^${line.split('…').map(escaped).join('.*')}$`)
    const found = printed.findIndex((each, i) => i >= at && pattern.test(each))
    if (found < 0) return line
    at = found + 1
  }
  return undefined
}

function squeezed(line: string): string {
  return line.replace(/\s+/g, ' ').trim()
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Ctrl-C for the whole group; what does not end then is killed, and that is a failure. */
async function stop({ child, exitCode }: Running): Promise<void> {
  const { pid } = child
  if (pid === undefined || exitCode !== undefined) return
  const ended = once(child, 'close')
  const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), LONGEST_STOP_MS)
  process.kill(-pid, 'SIGINT')
  await ended
  clearTimeout(timer)
  assert.notEqual(child.signalCode, 'SIGKILL', 'it did not stop at Ctrl-C')
}

/** Without what npm tells the programs it runs: it would take the nested npm back to this checkout. */
function environment(folder: string, ports: ReadonlyMap<string, string>): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:npm_|tidings_|init_cwd)/i.test(name))
  return {
    ...Object.fromEntries(kept),
    TIDINGS_DATA_PORT: ports.get('8080'),
    TIDINGS_ADMIN_PORT: ports.get('8081'),
    TIDINGS_SERVER: `http://127.0.0.1:${ports.get('8081')}`,
    // Nothing on the page may need the network, and nothing of it may stay.
    npm_config_offline: 'true',
    npm_config_cache: path.join(folder, '.npm'),
  }
}

/** A free port for each name. */
async function freePorts(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const servers = await Promise.all(
    names.map(async (name) => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return { name, server }
    }),
  )
  const found = new Map<string, string>()
  for (const { name, server } of servers) {
    const address = server.address()
    if (typeof address === 'object' && address !== null) found.set(name, String(address.port))
    server.close()
    await once(server, 'close')
  }
  return found
}
