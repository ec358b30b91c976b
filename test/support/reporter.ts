// Mocha's own spec report, closed by the one line that tools read: `N passed, N failed, N skipped`.
// A skipped test prints the reason its helper gave (see servers/there.ts), so nothing is skipped silently.
import Mocha from 'mocha'

export default class Reporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`)
  }
}
