/** The settings that Azurite's thread gets from the host. */
export interface AzuriteSettings {
  readonly dataDir: string;
  readonly blobPort: number;
  readonly queuePort: number;
}

/** Azurite's thread sends one of these once. The host sends only the message `'stop'`. */
export type AzuriteMessage =
  | { readonly kind: 'started'; readonly blobPort: number; readonly queuePort: number }
  | { readonly kind: 'failed'; readonly reason: string };
