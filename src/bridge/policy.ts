/** What the bridge does with an outlet of its own accord; milliseconds. */
export interface Policy {
  /** No command may switch the relay. */
  readonly locked: boolean;
  /** What to do when the plug returns after a power cut. */
  readonly restore: 'keep' | 'last' | 'off' | 'on';
  /** Whether a change made at the plug or with its app is put back. */
  readonly enforce: boolean;
  /** How long such a change may stand. */
  readonly enforceAfterMs: number;
}
