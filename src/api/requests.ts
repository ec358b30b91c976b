// What all routes of the admin port read of a request in the same way.
import type express from 'express'

/** A part of the path, decoded; empty when the route has none of that name. */
export function parameter({ params }: express.Request, name: string): string {
  const value = params[name]
  return typeof value === 'string' ? value : ''
}

export function isRead({ method }: express.Request): boolean {
  return method === 'GET' || method === 'HEAD'
}
