// `npm run setup:servers`: fetches what tests connect to, with the machine's own clients: Maven for Kafka's server, apt-get
// for programs. What is there already is left alone. It says what it did and could not do, and fails only when a server is
// missing that REQUIRE_SERVERS names. `npm run --silent setup:servers -- --there` only prints which are there: `kafka,kcat`.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { CACHE, isOnPath, KAFKA, KAFKA_CLASSES, KAFKA_POM, kafkaSums, problemsOfJars } from './cache.ts'
import { startKafka } from './kafka.ts'
import { isRequired, reasonAgainst, type Server } from './there.ts'

const SERVERS = ['kafka', 'kcat'] as const satisfies readonly Server[]
/** Of one command: a registry that does not answer must not hold up a build. */
const LIMIT_MS = 300_000

if (process.argv.includes('--there')) console.log(SERVERS.filter((server) => !reasonAgainst(server)).join(','))
else await setUp()

async function setUp(): Promise<void> {
  installPrograms()
  fetchKafka()
  await keepClasses()
  for (const server of SERVERS) say(`${server}: ${reasonAgainst(server) ?? 'is there'}`)
  if (SERVERS.some((server) => isRequired(server) && reasonAgainst(server))) process.exitCode = 1
}

/** Debian's packages, where we may install them. */
function installPrograms(): void {
  const wanted = [
    { program: 'java', debian: 'default-jre-headless' },
    { program: 'kcat', debian: 'kcat' },
    ...(problemsOfKafka().length === 0 ? [] : [{ program: 'mvn', debian: 'maven' }]),
  ].filter(({ program }) => !isOnPath(program))
  if (wanted.length === 0) return
  const packages = wanted.map(({ debian }) => debian)
  if (!isOnPath('apt-get') || process.getuid?.() !== 0) {
    say(`not installed, for want of apt-get or of being root: ${packages.join(', ')}`)
    return
  }
  say(`apt-get install ${packages.join(' ')}`)
  run('apt-get', ['update', '-qq'])
  for (const name of packages) run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name])
}

/** Into a folder of its own first: the cache holds either all of it, checked, or what it held before. */
function fetchKafka(): void {
  if (problemsOfKafka().length === 0 || !isOnPath('mvn')) return
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(path.join(CACHE, 'fetching-'))
  try {
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`]
    say(`mvn ${goal[0]}: Kafka's server, 50 MB, to ${KAFKA}`)
    if (run('mvn', ['-q', '-B', '-f', KAFKA_POM, ...goal]).status !== 0) return
    const problems = problemsOfJars(folder, kafkaSums())
    for (const problem of problems) say(problem)
    if (problems.length > 0) return
    rmSync(KAFKA_CLASSES, { force: true })
    rmSync(KAFKA, { recursive: true, force: true })
    renameSync(folder, KAFKA)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function keepClasses(): Promise<void> {
  if (existsSync(KAFKA_CLASSES) || reasonAgainst('own kafka')) return
  say('starts Kafka once, to have its classes ready')
  const classesTo = `${KAFKA_CLASSES}.${process.pid}`
  try {
    await using kafka = await startKafka({ classesTo })
    await kafka.nodes[0]?.stop()
    if (existsSync(classesTo)) renameSync(classesTo, KAFKA_CLASSES)
  } catch (error) {
    say(`it did not start: ${error instanceof Error ? error.message : error}`)
  } finally {
    rmSync(classesTo, { force: true })
  }
}

function problemsOfKafka(): readonly string[] {
  return problemsOfJars(KAFKA, kafkaSums())
}

function run(command: string, args: readonly string[]): SpawnSyncReturns<string> {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (result.status !== 0) {
    const said = `${result.stdout}${result.stderr}`.trim().split('\n').slice(-5).join('\n  ')
    say(`${command} failed: ${result.error?.message ?? `exit code ${result.status}`}\n  ${said}`)
  }
  return result
}

function say(text: string): void {
  console.error(`setup:servers: ${text}`)
}
