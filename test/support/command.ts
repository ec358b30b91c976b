// A command in this process: what it prints, and its exit code.

export interface CommandResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function run(
  argv: readonly string[],
  env: Record<string, string> = {},
  input: readonly string[] = [],
): Promise<CommandResult> {
  // Imported as it imports the commands: mocha loads tests in another way, and each way has its own copy of a class.
  const { runCommand } = await import('../../src/cli/run.ts')
  let out = ''
  let err = ''
  const print = (text: string): boolean => {
    out += text
    return true
  }
  const code = await runCommand(argv, {
    env,
    out: print,
    offer: print,
    print: async (text) => print(text),
    err: (text) => {
      err += text
    },
    terminal: () => undefined,
    async *lines() {
      yield* input
    },
  })
  return { code, out, err }
}
