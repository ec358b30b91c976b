// Long forms of tests: minutes instead of seconds. They run with `npm run test:long`, or with one word of their titles
// after it: `npm run test:long -- edits`.

export const isLong = process.env['LONG'] === '1'

/** A test that is skipped, saying why, unless long forms are asked for. */
export function itLong(title: string, test: Mocha.AsyncFunc): void {
  if (isLong) it(`${title} [long form]`, test)
  else it.skip(`${title} [long form: npm run test:long]`, test)
}
