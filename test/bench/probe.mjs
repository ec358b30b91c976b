// Loaded into every process of the bench, the built program included: tells its CPU time and memory when asked. Plain
// JavaScript, because the program has to start as its users start it, without a loader.
import process from 'node:process'

process.on('message', ({ id, command }) => {
  if (command !== 'usage' && command !== 'collect') return
  if (command === 'collect') {
    // Once for what is young, once for what that leaves; needs --expose-gc.
    globalThis.gc()
    globalThis.gc()
  }
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  process.send({ id, reply: { cpuUs: user + system, rssBytes: rss, heapBytes: heapUsed } })
})
// Nothing is left behind when the bench itself is killed.
process.on('disconnect', () => process.exit())
// A program that has nothing else to do must be able to end.
process.channel.unref()
