/** Where an event is sent, after every reference has been resolved. */
export interface Target {
  /** Absolute http or https URL. */
  readonly url: string
  /** PEM certificates to trust beside the well-known authorities. */
  readonly caCerts?: string
}
