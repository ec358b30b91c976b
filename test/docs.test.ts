// What can be checked of the pages without running them: links, names, codes, sections that the code cites. Commands and
// outputs of the README are run by e2e/readme.test.ts.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { runCommand } from '../src/cli/run.ts'

const root = path.resolve(import.meta.dirname, '..')
const decisions = readdirSync(path.join(root, 'docs/decisions')).sort()
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(path.join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ...decisions.map((name) => `docs/decisions/${name}`),
]
const design = textOf('docs/design.md')

describe('the documents', () => {
  for (const page of pages) {
    it(`${page} links to what exists`, () => {
      const targets = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
      const local = targets.filter((target) => !/^https?:/.test(target))

      assert.deepEqual(
        local.filter((target) => !leadsSomewhere(page, target)),
        [],
      )
    })
  }

  it('the README says how to start and how to test', () => {
    const lines = textOf('README.md').split('\n')

    assert.ok(lines.includes('npm ci && npm start'))
    assert.ok(lines.includes('npm ci && npm test'))
  })

  it('every command of `tidings help` stands in the README and in design.md section 8', async () => {
    const commands = await commandNames()
    const missing = [textOf('README.md'), sectionOf(8)].map((text) =>
      commands.filter((name) => !new RegExp(`\\btidings ${name}\\b`).test(text)),
    )

    assert.ok(commands.includes('event send'), 'the help is read')
    assert.deepEqual(missing, [[], []])
  })

  for (const page of [
    'README.md',
    'docs/tutorial.md',
    'docs/operations.md',
    'docs/dead-letters.md',
    'docs/backup.md',
    'docs/kafka.md',
  ]) {
    it(`every command that ${page} uses exists`, async () => {
      const commands = await commandNames()
      const used = [...textOf(page).matchAll(/npx tidings ([a-z ]+)/g)].map(([, words = '']) => words.trim())

      assert.ok(used.length > 0)
      assert.deepEqual(
        used.filter((words) => !commands.some((name) => words === name || words.startsWith(`${name} `))),
        [],
      )
    })
  }

  it('every annotation of ours stands in the table of dead-letters.md, and no other', () => {
    const inCode = filesBelow('src').flatMap((file) => textOf(file).match(/\btidings\.dev\/[a-z-]+/g) ?? [])
    const inTable = [...textOf('docs/dead-letters.md').matchAll(/^\| `(tidings\.dev\/[a-z-]+)`/gm)].map(
      ([, name]) => name,
    )

    assert.ok(inCode.length > 0)
    assert.deepEqual(inTable.sort(), [...new Set(inCode)].sort())
  })

  it('every error code stands in the table of design.md section 9, and no other', () => {
    const inCode = [...textOf('src/core/errors.ts').matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code]) => code)
    const inTable = [...sectionOf(9).matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code)

    assert.ok(inCode.length > 0)
    assert.deepEqual(inTable.sort(), inCode.sort())
  })

  it('every section of design.md that the code cites exists', () => {
    const cited = new Set<string>()
    for (const file of filesBelow('src', 'test')) {
      for (const [, number = ''] of textOf(file).matchAll(/design\.md(?: section)? (\d+(?:\.\d+)?)/g)) cited.add(number)
    }
    const headings = new Set([...design.matchAll(/^##+ (\d+(?:\.\d+)?)/gm)].map(([, number]) => number))

    assert.ok(cited.size > 0)
    assert.deepEqual(
      [...cited].filter((number) => !headings.has(number)),
      [],
    )
  })

  for (const name of decisions) {
    it(`decisions/${name} has a number, a decision, a reason and alternatives`, () => {
      const text = textOf(`docs/decisions/${name}`)

      assert.match(name, /^\d{4}-[a-z0-9-]+\.md$/)
      assert.ok(text.startsWith(`# ${name.slice(0, 4)} `), 'the heading begins with the number')
      assert.deepEqual(
        ['Decision', 'Reason', 'Alternatives'].filter((heading) => !text.includes(`\n## ${heading}\n`)),
        [],
      )
    })
  }

  it('no two decisions have one number', () => {
    const numbers = decisions.map((name) => name.slice(0, 4))

    assert.deepEqual(numbers, [...new Set(numbers)])
  })
})

function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

function sectionOf(number: number): string {
  const start = design.indexOf(`\n## ${number}. `)
  const end = design.indexOf('\n## ', start + 1)
  return design.slice(start, end < 0 ? undefined : end)
}

function leadsSomewhere(page: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const found = file === '' ? page : path.join(path.dirname(page), file)
  if (!existsSync(path.join(root, found))) return false
  return anchor === undefined || anchorsOf(textOf(found)).includes(anchor)
}

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

async function commandNames(): Promise<string[]> {
  let help = ''
  await runCommand(['help'], {
    env: {},
    out: (text) => (help += text),
    offer: () => true,
    print: async () => true,
    err: () => undefined,
    lines: async function* () {},
    terminal: () => undefined,
  })
  return [...help.matchAll(/^ {2}(\S+(?: \S+)*) {2,}\S/gm)].map(([, name = '']) => name)
}

function filesBelow(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(folder, file)),
  )
}
