// docs/operations.md and config/alerts.yaml against the code: what can be seen from outside is explained there, and nothing else.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { knownKinds } from '../src/resource/known-kinds.ts'
import { parseYaml } from '../src/resource/yaml.ts'

const root = path.resolve(import.meta.dirname, '..')
const page = textOf('docs/operations.md')
const runtime = readdirSync(path.join(root, 'src/runtime')).map((name) => textOf(`src/runtime/${name}`))
const metrics = namesIn(firstCells(textOf('docs/metrics.md')).join())

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

describe('docs/operations.md', () => {
  it('has every type of condition, and no other', () => {
    const ofKinds = knownKinds.flatMap(({ conditions }) => conditions.dependents)
    const byTheirEnding = found(/'([A-Z]\w*(?:Ready|Resolved))'/g)
    const ofRuntime = found(/\b(?:type|TYPE)(?::| =) '([A-Z]\w+)'/g).filter((type) => !CHANGES.includes(type))

    assert.deepEqual(documented('Conditions'), unique(['Ready', ...ofKinds, ...byTheirEnding, ...ofRuntime]))
  })

  it('has every reason of a condition, and every word in brackets of a status', () => {
    const quoted = [...found(/\breason(?::| =) '([A-Z]\w*)'/g), ...found(/\breason(?::| =) "([^"]+)"/g)]
    const withNames = found(/\breason = `([^`]+)`/g).map((text) => text.replace(/\$\{[^}]*\}/g, 'NAME'))
    const oidc = found(/'(authentication-oidc feature disabled)'/g)
    const inBrackets = [...textOf('src/runtime/problems.ts').matchAll(/\(([A-Z]\w+)\)/g)].map(([, word = '']) => word)

    assert.ok(quoted.length > 0 && oidc.length > 0 && inBrackets.length > 0)
    assert.deepEqual(documented('Reasons'), unique([...quoted, ...withNames, ...oidc, ...inBrackets]))
  })

  it('has every error code, and no other', () => {
    const codes = [...textOf('src/core/errors.ts').matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code = '']) => code)

    assert.ok(codes.length > 0)
    assert.deepEqual(documented('Error codes'), unique(codes))
  })

  it('has every metric, once', () => {
    const cells = firstCells(sectionOf('Metrics'))

    assert.ok(metrics.length > 0)
    assert.deepEqual(namesIn(cells.join()).sort(), unique(metrics))
  })

  it('says of each what it means and what to do', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))

    assert.deepEqual(
      rows.filter((row) =>
        row
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .some((cell) => cell.trim() === ''),
      ),
      [],
    )
  })

  it('has a section for every alert, and no other', () => {
    const sections = [...sectionOf('Alerts').matchAll(/^### (\w+)$/gm)].map(([, name = '']) => name)

    assert.deepEqual(
      sections.sort(),
      alerts()
        .map(({ alert }) => alert)
        .sort(),
    )
  })
})

describe('config/alerts.yaml', () => {
  it('has rules as Prometheus takes them', () => {
    for (const rule of alerts()) {
      const { alert, labels } = rule
      assert.match(alert, /^Tidings[A-Z]\w+$/)
      assert.deepEqual(
        Object.keys(rule).filter((key) => !['alert', 'expr', 'for', 'labels', 'annotations'].includes(key)),
        [],
        alert,
      )
      assert.match(rule.for ?? '1m', /^\d+[smh]$/, alert)
      assert.ok(['info', 'warning', 'critical'].includes(labels.severity), alert)
    }
    assert.equal(new Set(alerts().map(({ alert }) => alert)).size, alerts().length)
  })

  for (const { alert, expr, annotations } of alerts()) {
    it(`${alert} asks for metrics that there are`, () => {
      const asked = [...expr.matchAll(/\b(?:tidings|kn|process|nodejs)_\w+/g)].map(([name]) =>
        name.replace(/_bucket$/, ''),
      )

      assert.ok(asked.length > 0)
      assert.deepEqual(
        asked.filter((name) => !metrics.includes(name)),
        [],
      )
    })

    it(`${alert} closes what it opens`, () => {
      assert.equal(expr.split('(').length, expr.split(')').length)
      assert.equal(expr.split('{').length, expr.split('}').length)
    })

    it(`${alert} has a summary and a runbook`, () => {
      assert.match(annotations.summary, /\S.*\.$/)
      assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`)
    })
  }
})

/** What a resource store tells of, which is no condition. */
const CHANGES = ['ADDED', 'MODIFIED', 'DELETED']

function alerts(): readonly Alert[] {
  const { documents, problems } = parseYaml(textOf('config/alerts.yaml'), 'config/alerts.yaml')
  assert.deepEqual(problems, [])
  const { groups } = (documents[0]?.value ?? {}) as { groups: readonly { rules: readonly Alert[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

function sectionOf(heading: string): string {
  const start = page.indexOf(`\n## ${heading}\n`)
  assert.ok(start >= 0, heading)
  const end = page.indexOf('\n## ', start + 1)
  return page.slice(start, end < 0 ? undefined : end)
}

/** Of the rows that begin with a name in backquotes. */
function firstCells(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.split('|')[1] ?? ''] : []))
}

function documented(heading: string): readonly string[] {
  return firstCells(sectionOf(heading))
    .map((cell) => cell.trim().replaceAll('`', ''))
    .sort()
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

function found(pattern: RegExp): readonly string[] {
  return runtime.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name))
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
