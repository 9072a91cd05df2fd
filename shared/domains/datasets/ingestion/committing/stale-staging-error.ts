/** What was staged can no longer be committed. Staging the file again helps. */
export class StaleStagingError extends Error {
  override readonly name = 'StaleStagingError';
}
