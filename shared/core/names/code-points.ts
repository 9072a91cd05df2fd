/**
 * Compares two texts by code point, which is the order of their UTF-8 bytes. JavaScript's `<` compares UTF-16 units,
 * which sort U+10000 and above before U+E000–U+FFFF.
 *
 * @returns negative, zero or positive
 * @example
 * Math.sign(compareCodePoints('\u{1f600}', '\uffee')) // 1
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA === unitB) continue;
    const astralA = unitA >= 0xd800 && unitA <= 0xdfff;
    const astralB = unitB >= 0xd800 && unitB <= 0xdfff;
    return astralA === astralB ? unitA - unitB : astralA ? 1 : -1;
  }
  return a.length - b.length;
}
