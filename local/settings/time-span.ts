const pattern = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$/;

/**
 * Parses a .NET TimeSpan, `[d.]hh:mm[:ss[.fffffff]]`. Refuses hours over 23: .NET reads "24:00:00" as 24 days, which is
 * never the intention.
 *
 * @returns milliseconds; undefined for anything else
 * @example
 * parseTimeSpan('1.02:03:04.5') // 93_784_500
 */
export function parseTimeSpan(text: string): number | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1, 5).map((part) => Number(part ?? 0));
  if (hours! > 23 || minutes! > 59 || seconds! > 59) return undefined;
  const fractionMs = Number(`0.${match[5] ?? 0}`) * 1000;
  return (((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!) * 1000 + fractionMs;
}
