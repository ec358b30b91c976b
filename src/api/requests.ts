// What all routes of the admin port do in the same way with a request.
import type express from 'express'

/** A part of the path, decoded; empty when the route has none of that name. */
export function parameter({ params }: express.Request, name: string): string {
  const value = params[name]
  return typeof value === 'string' ? value : ''
}

export function isRead({ method }: express.Request): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** In the form of the routes under /tidings. */
export function refuse(response: express.Response, status: number, message: string): void {
  response.status(status).json({ message })
}
