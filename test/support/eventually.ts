/** Resolves once the condition holds; rejects, naming what was waited for, when it does not within `withinMs` of real time. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 8_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
