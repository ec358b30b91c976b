// Long forms of tests: minutes instead of seconds. They run with `npm run test:long`, or with a part of their titles after
// it, and some take a number of rounds and a seed: `npm run test:long -- "crash on disk" --rounds 1000 --seed 7`.

export const isLong = process.env['LONG'] === '1'

/** Ends the title of a test whose long form is more of the same, so that `npm run test:long` finds it. */
export const longMark = isLong ? ' [long form]' : ''

/** A test that is skipped, saying why, unless long forms are asked for. */
export function itLong(title: string, test: Mocha.AsyncFunc): void {
  if (isLong) it(`${title} [long form]`, test)
  else it.skip(`${title} [long form: npm run test:long]`, test)
}

/** How many rounds: as `--rounds` says, else as the form has. */
export function roundsOf(form: { readonly short: number; readonly long: number }): number {
  return wholeNumber('ROUNDS') ?? (isLong ? form.long : form.short)
}

/** As `--seed` says. */
export function seedOf(otherwise: number): number {
  return wholeNumber('SEED') ?? otherwise
}

function wholeNumber(variable: string): number | undefined {
  const text = process.env[variable]
  if (!text) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${variable}: expected a whole number, got '${text}'`)
  return Number(text)
}
