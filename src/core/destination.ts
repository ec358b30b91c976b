/** Where an event is sent, after every reference has been resolved. */
export interface Target {
  /** Absolute http or https URL. */
  readonly url: string
  /** PEM certificates to trust instead of the system's. */
  readonly caCerts?: string
}
