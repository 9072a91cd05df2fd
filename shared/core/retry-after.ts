/**
 * Reads the header `Retry-After`, in seconds. A date is ignored: it depends on two clocks that agree.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 * @example
 * parseRetryAfterMs('7') // 7_000
 * parseRetryAfterMs('Wed, 21 Oct 2026 07:28:00 GMT') // undefined
 */
export function parseRetryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}
