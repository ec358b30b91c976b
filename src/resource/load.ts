// Manifests to resources: from a text, or from the files and folders that `-f` names. Tells everything that is wrong at
// once and where it stands; what to do about it (refuse to start, keep the last good version) is for the caller. Syntax
// is yaml.ts, the rules are the kinds'.
import { type Dirent, promises as fs, type Stats } from 'node:fs'
import path from 'node:path'
import { brokerClassOf, isOurs } from './kinds/broker.ts'
import { brokerNameOf } from './kinds/trigger.ts'
import { type AnyResource, describeUnknownKind, findKind } from './known-kinds.ts'
import { namespaceOf } from './metadata.ts'
import { type FieldError, type Place, type Problem, problemAt } from './problems.ts'
import { isFields, textAt } from './rules.ts'
import { readYaml, type YamlDocument, yamlLimits } from './yaml.ts'

export interface LoadedResource {
  readonly resource: AnyResource
  /** Where its document starts. */
  readonly place: Place
}

export interface Loaded {
  readonly resources: readonly LoadedResource[]
  readonly problems: readonly Problem[]
  /** What is another controller's: Brokers of another class, and their Triggers. */
  readonly foreign: readonly LoadedResource[]
  /** Says of each of these that it is left out, although nothing is wrong with it. */
  readonly notices: readonly Problem[]
}

const EXTENSIONS: readonly string[] = ['.yaml', '.yml', '.json']

/** Reads every document of a text. `file` is the name that problems give. Never throws. */
export function loadManifests(text: string, file: string): Loaded {
  const part = startPart(file)
  for (const document of readYaml(text, file, part.refuse)) part.add(document)
  return combine([part.end()])
}

/**
 * Reads files, and folders with all `.yaml`, `.yml` and `.json` files below them; what starts with a dot is left out,
 * unless it is named itself. In the order given, sorted within a folder, each file once. Never rejects: what cannot be
 * read is a problem.
 */
export async function loadPaths(paths: readonly string[]): Promise<Loaded> {
  const { files, problems } = await findFiles(paths)
  const parts: Part[] = []
  for (const file of files) parts.push(await readFile(file))
  return combine([{ resources: [], problems }, ...parts])
}

/** What one file holds, before it is compared with others. */
export interface Part {
  readonly resources: readonly LoadedResource[]
  readonly problems: readonly Problem[]
}

export interface ManifestFile {
  readonly name: string
  readonly bytes: number
  /** Differs once the file was written, or another took its place. */
  readonly signature: string
  /** When it was last written, epoch ms. */
  readonly changedAt: number
}

/** The files that `loadPaths` reads, in its order; the folders they were found in; the paths that cannot be read. */
export async function findFiles(paths: readonly string[]): Promise<{
  readonly files: readonly ManifestFile[]
  readonly folders: readonly string[]
  /** Of these nobody can tell whether there is something: too many open files, no right to look, ... */
  readonly unreadable: readonly string[]
  readonly problems: readonly Problem[]
}> {
  const found: Found = { files: [], folders: [], unreadable: [], problems: [] }
  const seen = new Set<string>()
  for (const each of paths) await findAt({ named: each }, seen, found)
  return found
}

/** What one file holds, document by document. */
function startPart(file: string) {
  const resources: LoadedResource[] = []
  const problems: Problem[] = []
  return {
    add(document: YamlDocument): void {
      const placeOf = (error: FieldError): Place => ({ file, ...document.positionOf(error.paths[0]) })
      const reading = readResource(document)
      if (reading.kind === 'invalid') problems.push(...reading.errors.map((error) => problemAt(placeOf(error), error)))
      else resources.push({ resource: reading.resource, place: { file, ...document.positionOf([]) } })
    },
    refuse: (problem: Problem): void => void problems.push(problem),
    end: (): Part => ({ resources, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }),
  }
}

function readResource({ value }: YamlDocument) {
  if (!isFields(value)) {
    return invalid([{ paths: [[]], message: 'expected a map with apiVersion, kind, metadata and spec' }])
  }
  const apiVersion = textAt(value, ['apiVersion'])
  const name = textAt(value, ['kind'])
  if (!apiVersion || !name) {
    const missing = [...(apiVersion ? [] : ['apiVersion']), ...(name ? [] : ['kind'])]
    return invalid(missing.map((field) => ({ paths: [[field]], message: 'missing field(s)' })))
  }
  const kind = findKind(apiVersion, name)
  if (!kind) return invalid([{ paths: [['kind']], message: describeUnknownKind(apiVersion, name) }])
  return kind.read(value)
}

function invalid(errors: readonly FieldError[]) {
  return { kind: 'invalid', errors } as const
}

interface Found {
  readonly files: ManifestFile[]
  readonly folders: string[]
  readonly unreadable: string[]
  readonly problems: Problem[]
}

interface Way {
  readonly named: string
  /** Absent when it has to be asked for: that costs more than all the rest. */
  readonly real?: string
}

async function findAt(way: Way, seen: Set<string>, found: Found): Promise<void> {
  const { named } = way
  try {
    const real = way.real ?? (await fs.realpath(named))
    // Two ways to one file are one file, and a link back to a folder above must not be followed for ever.
    if (seen.has(real)) return
    seen.add(real)
    const stat = await fs.stat(real)
    if (stat.isDirectory()) return await findIn({ named, real }, seen, found)
    if (!stat.isFile()) throw new Error('expected a file or a folder')
    found.files.push({ name: named, bytes: stat.size, signature: signatureOf(real, stat), changedAt: stat.ctimeMs })
  } catch (error) {
    if (!isMissing(error)) found.unreadable.push(named)
    found.problems.push(problemOfFile(named, messageOf(error)))
  }
}

function signatureOf(real: string, { ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [real, ino, size, mtimeMs, ctimeMs].join()
}

/** Whether a file is what it was when it was found. */
export async function isUnchanged({ name, signature }: ManifestFile): Promise<boolean> {
  try {
    const real = await fs.realpath(name)
    return signatureOf(real, await fs.stat(real)) === signature
  } catch {
    return false
  }
}

async function findIn({ named, real }: Required<Way>, seen: Set<string>, found: Found): Promise<void> {
  const entries = await fs.readdir(named, { withFileTypes: true })
  found.folders.push(named)
  for (const entry of entries.filter(isWanted).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const way = { named: path.join(named, entry.name) }
    const mayBeLink = !entry.isFile() && !entry.isDirectory()
    await findAt(mayBeLink ? way : { ...way, real: path.join(real, entry.name) }, seen, found)
  }
}

/** Kubernetes mounts a ConfigMap's files as links into a dot folder, so by name is the only way to tell. */
function isWanted(entry: Dirent): boolean {
  return !entry.name.startsWith('.') && (entry.isDirectory() || EXTENSIONS.includes(path.extname(entry.name)))
}

/**
 * Never rejects: a file that cannot be read is a problem. `giveWay` is called between documents and may return what is
 * to be waited for: ten thousand of them take seconds.
 */
export async function readFile(
  { name, bytes }: Pick<ManifestFile, 'name' | 'bytes'>,
  giveWay: () => Promise<void> | undefined = () => undefined,
): Promise<Part> {
  // Asked before reading; readYaml counts again what was read.
  if (bytes > yamlLimits.textBytes)
    return refusedFile(name, `expected at most ${yamlLimits.textBytes} bytes in one file`)
  try {
    const part = startPart(name)
    for (const document of readYaml(textOf(await fs.readFile(name)), name, part.refuse)) {
      part.add(document)
      const turn = giveWay()
      if (turn) await turn
    }
    return part.end()
  } catch (error) {
    return refusedFile(name, messageOf(error))
  }
}

function textOf(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    throw new Error('expected UTF-8 text')
  }
}

function refusedFile(file: string, message: string): Part {
  return { resources: [], problems: [problemOfFile(file, message)] }
}

function problemOfFile(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: '', message }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

function messageOf(error: unknown): string {
  if (isMissing(error)) return 'no such file or folder'
  return error instanceof Error && !('code' in error) ? error.message : String(error)
}

/** Of several files together: what stands in two of them, and what is another controller's. */
export function combine(parts: readonly Part[]): Loaded {
  const all = parts.flatMap(({ resources }) => resources)
  const { ours, foreign, notices } = setForeignAside(all)
  const problems = [...parts.flatMap(({ problems }) => problems), ...duplicates(all)]
  return { resources: ours, foreign, problems, notices }
}

function duplicates(resources: readonly LoadedResource[]): readonly Problem[] {
  const first = new Map<string, Place>()
  return resources.flatMap(({ resource, place }) => {
    const { apiVersion, kind, metadata } = resource
    const group = apiVersion.slice(0, Math.max(apiVersion.indexOf('/'), 0))
    const key = `${group}/${kind}/${namespaceOf(resource)}/${metadata.name}`
    const other = first.get(key)
    if (!other) {
      first.set(key, place)
      return []
    }
    const where = `${other.file}:${other.line}:${other.column}`
    const message = `${kind} ${namespaceOf(resource)}/${metadata.name} stands at ${where} already`
    return [problemAt(place, { paths: [['metadata', 'name']], message })]
  })
}

/** Upstream's rule: a controller leaves Brokers of another class alone, and the Triggers of such Brokers. */
function setForeignAside(all: readonly LoadedResource[]) {
  const ours: LoadedResource[] = []
  const theirs: LoadedResource[] = []
  const notices: Problem[] = []
  const foreign = new Set<string>()
  for (const { resource } of all) {
    if (resource.kind === 'Broker' && !isOurs(resource))
      foreign.add(`${namespaceOf(resource)}/${resource.metadata.name}`)
  }
  for (const loaded of all) {
    const message = reasonToLeaveOut(loaded.resource, foreign)
    if (message === undefined) {
      ours.push(loaded)
      continue
    }
    theirs.push(loaded)
    notices.push(problemAt(loaded.place, { paths: [[]], message }))
  }
  return { ours, foreign: theirs, notices }
}

function reasonToLeaveOut(resource: AnyResource, foreign: ReadonlySet<string>): string | undefined {
  if (resource.kind === 'Broker' && !isOurs(resource)) {
    return `Broker ${namespaceOf(resource)}/${resource.metadata.name} is left out: its class is ${brokerClassOf(resource)}`
  }
  if (resource.kind !== 'Trigger') return undefined
  const broker = `${namespaceOf(resource)}/${brokerNameOf(resource)}`
  if (!foreign.has(broker)) return undefined
  return `Trigger ${namespaceOf(resource)}/${resource.metadata.name} is left out: Broker ${broker} is of another class`
}
