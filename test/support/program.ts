// The built program as a user runs it: a process of its own, on free ports.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Program extends AsyncDisposable {
  readonly process: ChildProcess
  out(): string
  err(): string
  /** Resolves when the process has ended. */
  readonly finished: Promise<Finished>
}

export interface Server extends Program {
  readonly dataUrl: string
  readonly adminUrl: string
}

/** A server has a data directory of its own, gone when it ends, unless the arguments or `env` name one. */
export function startProgram(args: readonly string[], env: Record<string, string> = {}): Program {
  const ownDir = args[0] === 'serve' ? mkdtempSync(path.join(tmpdir(), 'tidings-data-')) : undefined
  const ownEnv = ownDir === undefined ? {} : { TIDINGS_DATA_DIR: ownDir }
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: PROJECT, env: { ...process.env, ...ownEnv, ...env } })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const finished = new Promise<Finished>((resolve) =>
    child.on('close', (code) => {
      if (ownDir !== undefined) rmSync(ownDir, { recursive: true, force: true })
      resolve({ code, out, err })
    }),
  )
  return {
    process: child,
    out: () => out,
    err: () => err,
    finished,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill('SIGKILL')
      await finished
    },
  }
}

/** Runs a command to its end. */
export function runProgram(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return startProgram(args, env).finished
}

/** `tidings serve` on free ports; resolves when it says that it is ready. */
export async function startServerProgram(args: readonly string[], env: Record<string, string> = {}): Promise<Server> {
  const program = startProgram(['serve', '--port', '0', '--admin-port', '0', ...args], env)
  const isReady = (): boolean => {
    if (program.process.exitCode !== null) throw new Error(`it ended: ${program.err()}`)
    return program.out().includes('/metrics')
  }
  await eventually(isReady, 'the program is ready', 15_000)
  const adminUrl = /admin {3}(\S+)/.exec(program.out())?.[1]
  const dataUrl = /(?:broker \S+ {3}|data {4})(\S+)/.exec(program.out())?.[1]
  if (!adminUrl || !dataUrl) throw new Error(`no addresses in: ${program.out()}`)
  return { ...program, adminUrl, dataUrl: new URL(dataUrl).origin }
}
