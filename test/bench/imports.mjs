// The least memory that a program of these libraries and two listening servers takes: imports them, listens, answers.
// Plain JavaScript, started without a loader, as the program is.
import { createServer } from 'node:http'
import process from 'node:process'
import express from 'express'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Pool } from 'undici'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'

const app = express()
app.get('/readyz', (_request, response) => {
  response.status(200).end()
})
const data = createServer((_request, response) => response.end())
const admin = createServer(app)
data.listen(0, '127.0.0.1')
await new Promise((resolve) => admin.listen(0, '127.0.0.1', resolve))
// Named, so that no import is only for show.
const used = [pino, Registry, Pool, parseAllDocuments, z]
process.stdout.write(`${used.length} libraries\n  admin   http://127.0.0.1:${admin.address().port}\n`)
