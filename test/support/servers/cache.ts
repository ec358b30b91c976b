// Where the servers that tests use are kept, and what of them is there. `setup.ts` fills it; tests only look.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

export const CACHE = process.env['TIDINGS_SERVERS'] || path.join(homedir(), '.cache', 'tidings-servers')

/** The folder with Kafka's jars. */
export const KAFKA = path.join(CACHE, 'kafka')

/** Kafka's classes as Java has them in memory: halves the time of a start. Java goes without where it does not fit. */
export const KAFKA_CLASSES = path.join(CACHE, 'kafka.jsa')

export const KAFKA_POM = path.join(import.meta.dirname, 'kafka', 'pom.xml')

/** File names of the jars of Kafka's server, and the SHA-256 of each. */
export function kafkaSums(): ReadonlyMap<string, string> {
  const lines = readFileSync(path.join(import.meta.dirname, 'kafka', 'jars.sha256'), 'utf8')
    .trim()
    .split('\n')
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]))
}

/** What `folder` lacks of Kafka's jars, or has besides them: one problem a line, none when it is as it should be. */
export function problemsOfJars(folder: string, sums: ReadonlyMap<string, string>): readonly string[] {
  const present = new Set(existsSync(folder) ? readdirSync(folder) : [])
  const wrong = [...sums].flatMap(([file, sum]) => {
    if (!present.has(file)) return [`${file} is missing`]
    return sha256(path.join(folder, file)) === sum ? [] : [`${file} is not what jars.sha256 says`]
  })
  const more = [...present].filter((file) => !sums.has(file)).map((file) => `${file} is not in jars.sha256`)
  return [...wrong, ...more]
}

/** Whether all of Kafka's jars are there; their sums were checked when they were put there. */
export function hasKafkaJars(): boolean {
  const present = new Set(existsSync(KAFKA) ? readdirSync(KAFKA) : [])
  return [...kafkaSums().keys()].every((file) => present.has(file))
}

export function isOnPath(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '')
  return folders.some((folder) => existsSync(path.join(folder, program)))
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
