// The borders of src/: reads the tables of docs/design.md section 2, reads every import, and compares. Imports are found
// by a pattern: there is no syntax tree to be had from TypeScript 7 yet.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')

interface Row {
  /** A folder of src/, or a file at its top. */
  readonly unit: string
  readonly isBuilt: boolean
  /** Units, or single files. */
  readonly mayImport: readonly string[]
}

interface Architecture {
  readonly rows: readonly Row[]
  /** Library to the folders and files that may import it. */
  readonly homes: ReadonlyMap<string, { readonly isBuilt: boolean; readonly places: readonly string[] }>
}

/** Paths below src/, and their text. */
type Sources = ReadonlyMap<string, string>

const architecture = readArchitecture(readFileSync(path.join(root, 'docs/design.md'), 'utf8'))
const sources = readSources(path.join(root, 'src'))
const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

describe('the architecture', () => {
  it('is what design.md section 2 says: every import is allowed', () => {
    assert.deepEqual(violations(architecture, sources), [])
  })

  it('has a row for each folder, and a folder for each row that is built', () => {
    const units = [...sources.keys()].map((file) => file.split('/')[0] ?? '')
    const rows = architecture.rows.filter(({ unit }) => !unit.includes('/'))
    const planned = rows.filter(({ isBuilt }) => !isBuilt).map(({ unit }) => unit)

    assert.deepEqual(
      [...new Set(units)].sort(),
      rows
        .filter(({ isBuilt }) => isBuilt)
        .map(({ unit }) => unit)
        .sort(),
    )
    assert.deepEqual(
      planned.filter((unit) => units.includes(unit)),
      [],
    )
  })

  it('stands in layers: a row lists only rows above it', () => {
    const upward = architecture.rows.flatMap(({ unit, mayImport }, at) => {
      const above = architecture.rows.slice(0, at)
      return mayImport
        .filter((each) => !above.some((row) => isWithin(each, row.unit)))
        .map((each) => `${unit}: ${each}`)
    })

    assert.deepEqual(upward, [])
  })

  it('has a home for each dependency, and a dependency for each home that is built', () => {
    const built = [...architecture.homes].filter(([, { isBuilt }]) => isBuilt).map(([name]) => name)

    assert.deepEqual(Object.keys(dependencies).sort(), built.sort())
  })

  describe('is broken by', () => {
    const cases: readonly {
      readonly what: string
      readonly file: string
      readonly text: string
      readonly says: string
    }[] = [
      {
        what: 'an import from a layer above',
        file: 'core/a.ts',
        text: `import { a } from '../http/a.ts'`,
        says: 'core/a.ts: core may not import http/a.ts',
      },
      {
        what: 'a type from a layer above',
        file: 'channel/a.ts',
        text: `import type { A } from '../delivery/a.ts'`,
        says: 'channel/a.ts: channel may not import delivery/a.ts',
      },
      {
        what: 'an import over several lines',
        file: 'filter/a.ts',
        text: `import {\n  a,\n  type B,\n} from '../http/a.ts'`,
        says: 'filter/a.ts: filter may not import http/a.ts',
      },
      {
        what: 'a re-export',
        file: 'delivery/a.ts',
        text: `export { a } from '../broker/a.ts'`,
        says: 'delivery/a.ts: delivery may not import broker/a.ts',
      },
      {
        what: 'a dynamic import',
        file: 'broker/a.ts',
        text: `const { a } = await import('../runtime/a.ts')`,
        says: 'broker/a.ts: broker may not import runtime/a.ts',
      },
      {
        what: 'an import type within a type',
        file: 'http/a.ts',
        text: `type A = import('../broker/a.ts').A`,
        says: 'http/a.ts: http may not import broker/a.ts',
      },
      {
        what: 'an import for its effect',
        file: 'core/a.ts',
        text: `import '../http/a.ts'`,
        says: 'core/a.ts: core may not import http/a.ts',
      },
      {
        what: 'a dynamic import of what is only known when it runs',
        file: 'core/a.ts',
        text: 'await import(name)',
        says: 'core/a.ts: an import that cannot be read: import(name)',
      },
      {
        what: 'a require',
        file: 'core/a.ts',
        text: `require('../http/a.ts')`,
        says: 'core/a.ts: an import that cannot be read: require(',
      },
      {
        what: 'a backend in the fan-out',
        file: 'channel/a.ts',
        text: `import { a } from './backends/a.ts'`,
        says: 'channel/a.ts: channel may not import channel/backends/a.ts',
      },
      {
        what: 'the fan-out in a backend',
        file: 'channel/backends/a.ts',
        text: `import { a } from '../lane.ts'`,
        says: 'channel/backends/a.ts: channel/backends may not import channel/lane.ts',
      },
      {
        what: 'a file outside src/',
        file: 'core/a.ts',
        text: `import { a } from '../../test/a.ts'`,
        says: 'core/a.ts: core may not import ../test/a.ts',
      },
      {
        what: 'a library away from its home',
        file: 'http/server.ts',
        text: `import { Pool } from 'undici'`,
        says: 'http/server.ts: undici has another home',
      },
      {
        what: 'a part of a library away from its home',
        file: 'core/a.ts',
        text: `import { z } from 'zod/mini'`,
        says: 'core/a.ts: zod has another home',
      },
      {
        what: 'a library without a home',
        file: 'http/a.ts',
        text: `import fastify from '@fastify/core/x'`,
        says: 'http/a.ts: @fastify/core has no home',
      },
      {
        what: 'a built-in module without node:',
        file: 'http/a.ts',
        text: `import { createServer } from 'http'`,
        says: 'http/a.ts: http has no home',
      },
      {
        what: 'I/O in core',
        file: 'core/a.ts',
        text: `import { readFile } from 'node:fs'`,
        says: 'core/a.ts: core does no I/O, found node:fs',
      },
      {
        what: 'a folder without a row',
        file: 'util/a.ts',
        text: '',
        says: 'util/a.ts: no row of design.md section 2 has this file',
      },
    ]

    for (const { what, file, text, says } of cases) {
      it(what, () => {
        assert.deepEqual(violations(architecture, new Map([[file, text]])), [says])
      })
    }
  })

  it('lets be what its rows allow', () => {
    const allowed = new Map([
      ['core/a.ts', `import { b } from './b.ts'`],
      ['channel/backends/a.ts', `import type { EventLog } from '../log.ts'\nimport { a } from './b/a.ts'`],
      ['http/client.ts', `import { Pool } from 'undici'\nimport { createServer } from 'node:http'`],
      ['runtime/settings-schema.ts', `import { z } from 'zod'\nimport { parseYaml } from '../resource/yaml.ts'`],
      ['main.ts', `import { runCommand } from './cli/run.ts'`],
    ])

    assert.deepEqual(violations(architecture, allowed), [])
  })
})

function readArchitecture(markdown: string): Architecture {
  const section = /^## 2\..*?(?=^## 3\.)/ms.exec(markdown)?.[0] ?? assert.fail('docs/design.md has no section 2')
  const tables = section.split(/^\|[-|]+\|$/m)
  const [, layers = '', libraries = ''] = tables
  const homes = new Map(
    cellsOf(libraries).map(([name = '', home = '']) => [
      namesIn(name)[0] ?? '',
      { isBuilt: !home.includes('Not built yet'), places: namesIn(home) },
    ]),
  )
  const rows = cellsOf(layers).map(([unit = '', what = '', mayImport = '']) => ({
    unit: namesIn(unit)[0] ?? '',
    isBuilt: !what.startsWith('**Not built yet**'),
    mayImport: namesIn(mayImport),
  }))
  assert.ok(rows.length > 0 && homes.size > 0, 'docs/design.md section 2 has lost its tables')
  return { rows, homes }
}

/** Rows that begin with a name in backquotes. */
function cellsOf(table: string): string[][] {
  const lines = table.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

function readSources(folder: string): Sources {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return new Map(files.map((file) => [file.split(path.sep).join('/'), readFileSync(path.join(folder, file), 'utf8')]))
}

const IMPORT = /(?:(?<!\.)\bfrom|\bimport(?:\s*\()?)\s*(['"])(.*?)\1/g
/** What gets past IMPORT: an argument that is no plain text, and the old way. */
const UNREADABLE = /\bimport\s*\(\s*[^'"\s)][^)]*\)?|\brequire\s*\(/g

function violations(design: Architecture, files: Sources): string[] {
  return [...files].flatMap(([file, text]) => {
    const unit = unitOf(design, file)
    if (unit === undefined) return [`${file}: no row of design.md section 2 has this file`]
    const code = withoutComments(text)
    const unreadable = [...code.matchAll(UNREADABLE)].map(([found]) => `an import that cannot be read: ${found}`)
    const refused = [...code.matchAll(IMPORT)].flatMap(([, , name = '']) => refusal(design, file, unit, name) ?? [])
    return [...unreadable, ...refused].map((what) => `${file}: ${what}`)
  })
}

function refusal({ rows, homes }: Architecture, file: string, unit: string, name: string): string | undefined {
  if (name.startsWith('node:')) return unit === 'core' ? `core does no I/O, found ${name}` : undefined
  if (name.startsWith('.')) {
    const target = path.posix.join(path.posix.dirname(file), name)
    const targetUnit = unitOf({ rows, homes }, target)
    if (targetUnit === unit) return undefined
    const { mayImport = [] } = rows.find((row) => row.unit === unit) ?? {}
    const isAllowed = mayImport.includes(target) || (targetUnit !== undefined && mayImport.includes(targetUnit))
    return isAllowed ? undefined : `${unit} may not import ${target}`
  }
  const library = /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name
  const home = homes.get(library)
  if (!home) return `${library} has no home`
  return home.places.some((place) => isWithin(file, place)) ? undefined : `${library} has another home`
}

/** The longest row that a file is in. */
function unitOf({ rows }: Architecture, file: string): string | undefined {
  const units = rows.map(({ unit }) => unit).filter((unit) => isWithin(file, unit))
  return units.sort((a, b) => b.length - a.length)[0]
}

function isWithin(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`)
}

/** A line that is only a comment, and doc comments: prose may say "from 'x'". */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*\*[\s\S]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '')
}
