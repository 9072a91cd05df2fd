/** What the host's thread hands to the thread that runs Azurite. */
export interface AzuriteSettings {
  readonly dataDir: string;
  readonly blobPort: number;
  readonly queuePort: number;
}

/** What comes back: one of the two, once. The other way, the single message `'stop'`. */
export type AzuriteMessage =
  | { readonly kind: 'started'; readonly blobPort: number; readonly queuePort: number }
  | { readonly kind: 'failed'; readonly reason: string };
