// kcat: a Kafka client that is not kafkajs. It runs beside this process, never in its place.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** As `kcat -J` prints it. */
export interface KcatRecord {
  readonly key: string | null
  readonly payload: string | null
  /** Names and values in turn. */
  readonly headers?: readonly string[]
  readonly ts: number
}

/** One record; without a key or a value where it is empty. */
export async function kcatWrite(
  brokers: readonly string[],
  topic: string,
  record: { readonly key?: string; readonly headers: readonly string[]; readonly value: string },
): Promise<void> {
  const headers = record.headers.flatMap((header) => ['-H', header])
  const to = ['-P', '-b', brokers.join(','), '-t', topic]
  await kcat([...to, '-Z', '-K', KEY_ENDS, ...headers], `${record.key ?? ''}${KEY_ENDS}${record.value}\n`)
}

const KEY_ENDS = '|'

/** All that a topic holds. */
export async function kcatRead(brokers: readonly string[], topic: string): Promise<readonly KcatRecord[]> {
  const out = await kcat(['-C', '-J', '-e', '-o', 'beginning', '-b', brokers.join(','), '-t', topic], '')
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KcatRecord)
}

async function kcat(args: readonly string[], input: string): Promise<string> {
  const running = promisify(execFile)('kcat', args, { timeout: 30_000 })
  running.child.stdin?.end(input)
  return (await running).stdout
}
