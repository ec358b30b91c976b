import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { run } from '../support/command.ts'

const hasBash = spawnSync('bash', ['--version']).status === 0

describe('tidings completion', () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    it(`lists commands and flags for ${shell}`, async () => {
      const { code, out } = await run(['completion', shell])

      assert.equal(code, 0)
      for (const word of ['describe', 'event', 'send', 'all-namespaces', 'triggers']) {
        assert.match(out, new RegExp(`\\b${word}\\b`))
      }
    })
  }

  it('knows no other shell', async () => {
    const { code, err } = await run(['completion', 'toString'])

    const says = "there is no completion for 'toString'; expected one of bash, zsh, fish\n"
    assert.deepEqual({ code, err }, { code: 1, err: says })
  })

  const inBash = hasBash ? it : it.skip
  const cases: readonly (readonly [line: readonly string[], choices: readonly string[]])[] = [
    [['tidings', 'des'], ['describe']],
    [
      ['tidings', 'event', ''],
      ['send', 'show'],
    ],
    [['tidings', 'event', 'send', '--data-'], ['--data-file']],
    [['tidings', 'get', 'trig'], ['triggers']],
    [['tidings', 'get', 'triggers', '--all'], ['--all-namespaces']],
    [['tidings', 'completion', 'z'], ['zsh']],
    [['tidings', 'nothing', ''], []],
    [['tidings', 'event', 'send', '$(exit 7)'], []],
  ]
  for (const [line, choices] of cases) {
    inBash(`completes ${JSON.stringify(line)} in bash`, async () => {
      const { out } = await run(['completion', 'bash'])
      const script = `${out}\nCOMP_WORDS=("$@")\nCOMP_CWORD=$(($# - 1))\n_tidings\nprintf '%s\\n' "\${COMPREPLY[@]}"`

      const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', ...line])

      assert.deepEqual(stdout.split('\n').filter(Boolean), choices)
    })
  }
})
