import { describeAuth } from './auth.ts'

describeAuth()
