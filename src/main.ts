#!/usr/bin/env node
import { createInterface } from 'node:readline'
import { setFlagsFromString } from 'node:v8'
import { createOutput } from './cli/output.ts'
import { runCommand } from './cli/run.ts'
import { openTerminal } from './cli/terminal.ts'

// The engine would put all events where only a full collection looks, because those that a log keeps live long; and it would
// collect in full whenever a tenth more is there. Each time takes 50 to 100 ms of a core: docs/decisions/0030.
setFlagsFromString('--no-allocation-site-pretenuring')
setFlagsFromString('--heap-growing-percent=200')

const errors = createOutput(process.stderr, () => undefined)
const output = createOutput(process.stdout, (reason) =>
  errors.out(`standard output is gone, nothing more is printed: ${reason}\n`),
)

process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  ...output,
  err: errors.out,
  terminal: () => openTerminal(process.stdin, process.stdout),
  lines: () => createInterface({ input: process.stdin }),
})
