// YAML text to plain data that remembers where each field stood. The only file that knows the `yaml` package: settings
// and manifests are both read through it. JSON is YAML, so it comes this way too.
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  stringify,
} from 'yaml'
import { formatPath, type Path, type Position, type Problem } from './problems.ts'

export interface YamlDocument {
  readonly value: unknown
  /** Of the key (or list item) that the path names, else of the nearest one above it that exists. */
  positionOf(path: Path): Position
}

/** Bounds of what one text may cost; a text beyond them is refused whole. */
export const yamlLimits = {
  /** 10,000 Triggers take about 4 MiB. */
  textBytes: 16 * 1024 * 1024,
  documents: 20_000,
  /** As much as an API server stores of one object, rounded down. */
  documentBytes: 1024 * 1024,
  /** Maps and lists inside each other. */
  depth: 100,
  aliases: 100,
} as const

/** Reads every document of a text, telling all that is wrong with its syntax at once. Never throws. */
export function parseYaml(
  text: string,
  file: string,
): { readonly documents: readonly YamlDocument[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const documents = [...readYaml(text, file, (problem) => problems.push(problem))]
  return { documents, problems }
}

/** As `parseYaml`, one document at a time: where they are many, others may have their turn between them. */
export function* readYaml(text: string, file: string, onProblem: (problem: Problem) => void): Generator<YamlDocument> {
  const lines = new LineCounter()
  const report = ({ offset, path, message }: Finding): void => {
    onProblem({ file, ...positionAt(lines, offset), path: formatPath(path), message })
  }
  try {
    for (const document of compose(text, lines)) {
      const read = readDocument(document)
      if (read.findings.length > 0) read.findings.forEach(report)
      // What stands between two `---` may be nothing but comments.
      else if (read.value !== null) {
        yield { value: read.value, positionOf: (path) => positionAt(lines, offsetOf(document, path)) }
      }
    }
  } catch (error) {
    report({ offset: error instanceof Refusal ? error.offset : 0, path: [], message: messageOf(error) })
  }
}

/** Plain data as text that `parseYaml` reads back, and so do readers of YAML 1.1: what they take for another type is quoted. */
export function formatYaml(value: unknown): string {
  return stringify(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false, lineWidth: 0 })
}

/** Stops the parser where a bound is passed. Never leaves this file. */
class Refusal extends Error {
  readonly offset: number

  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

const tooDeep = `expected at most ${yamlLimits.depth} maps and lists inside each other`

function* compose(text: string, lines: LineCounter): Iterable<Document.Parsed> {
  if (Buffer.byteLength(text) > yamlLimits.textBytes) {
    throw new Refusal(0, `expected at most ${yamlLimits.textBytes} bytes in one file`)
  }
  const composer = new Composer({
    lineCounter: lines,
    prettyErrors: false,
    // Looked for below: the package compares every key with every other.
    uniqueKeys: false,
    // Kubernetes reads `<<`.
    merge: true,
    logLevel: 'error',
  })
  let count = 0
  for (const document of composer.compose(tokens(text, lines))) {
    count += 1
    if (count > yamlLimits.documents) {
      throw new Refusal(document.range[0], `expected at most ${yamlLimits.documents} documents in one file`)
    }
    yield document
  }
}

/**
 * The parser driven by hand, because depth must be bounded before composing: the composer calls itself for each level,
 * and thousands of them take the whole process down, not just the call.
 */
function* tokens(text: string, lines: LineCounter): Iterable<CST.Token> {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    // The stack holds the document and the scalar being read, too.
    if (parser.stack.length > yamlLimits.depth + 2) throw new Refusal(parser.offset, tooDeep)
  }
  yield* parser.end()
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

interface Finding {
  readonly offset: number
  readonly path: Path
  readonly message: string
}

function readDocument(document: Document.Parsed): { readonly value: unknown; readonly findings: readonly Finding[] } {
  const findings = findingsOf(document)
  if (findings.length > 0) return { value: undefined, findings }
  const refuse = (message: string) => ({
    value: undefined,
    findings: [{ offset: startOf(document.contents), path: [], message }],
  })
  try {
    const value: unknown = document.toJS({ maxAliasCount: yamlLimits.aliases })
    return isDeeperThan(value, yamlLimits.depth) ? refuse(tooDeep) : { value, findings }
  } catch (error) {
    // Aliases of aliases that multiply beyond the limit.
    return refuse(messageOf(error))
  }
}

function findingsOf(document: Document.Parsed): readonly Finding[] {
  const { errors, warnings, range } = document
  if (errors.length + warnings.length > 0) {
    return [...errors, ...warnings].map(({ pos, message }) => ({ offset: pos[0], path: [], message }))
  }
  if (range[2] - range[0] > yamlLimits.documentBytes) {
    const message = `expected at most ${yamlLimits.documentBytes} characters in one document`
    return [{ offset: range[0], path: [], message }]
  }
  const findings: Finding[] = []
  let aliases = 0
  walk(document.contents, [], (node, path) => {
    if (isAlias(node)) {
      aliases += 1
      // Looking up an alias reads the document from its start, hence not beyond the limit.
      const message =
        aliases > yamlLimits.aliases
          ? `expected at most ${yamlLimits.aliases} aliases in one document`
          : !node.resolve(document) && `no anchor &${node.source} before this alias`
      if (message && aliases <= yamlLimits.aliases + 1) findings.push({ offset: startOf(node), path, message })
    }
    for (const { key, offset } of repeatedKeys(node)) {
      findings.push({ offset, path: [...path, key], message: `duplicate key "${key}"` })
    }
  })
  return findings
}

/** Calls `visit` for every node, parents first. */
function walk(node: unknown, path: Path, visit: (node: unknown, path: Path) => void): void {
  visit(node, path)
  if (isMap(node)) for (const { key, value } of node.items) walk(value, [...path, keyText(key)], visit)
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) walk(item, [...path, index], visit)
  }
}

/** Through aliases a value can be deeper than its text, and without end when it holds itself. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1))
}

function repeatedKeys(node: unknown): { readonly key: string; readonly offset: number }[] {
  if (!isMap(node)) return []
  const seen = new Set<string>()
  return node.items.flatMap(({ key: node }) => {
    const key = keyText(node)
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [{ key, offset: startOf(node) }]
  })
}

/** Keys become text in JSON, so `1` and `"1"` are the same key. */
function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key)
}

function startOf(node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return 0
  const start: unknown = node.range[0]
  return typeof start === 'number' ? start : 0
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents
  let offset = startOf(node)
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyText(key) === String(part))
      if (!pair) return offset
      offset = startOf(pair.key)
      node = pair.value
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part]
      if (item === undefined) return offset
      offset = startOf(item)
      node = item
    } else {
      return offset
    }
  }
  return offset
}
