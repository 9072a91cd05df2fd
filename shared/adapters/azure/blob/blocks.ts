/**
 * Splits a stream into blocks of one size; the last can be shorter, and an empty stream has no blocks. Alternates two
 * buffers, so a block is valid until the next but one is requested.
 */
export async function* splitIntoBlocks(
  body: AsyncIterable<Uint8Array>,
  blockSizeBytes: number,
): AsyncGenerator<Uint8Array> {
  let block: Uint8Array | undefined;
  let spare: Uint8Array | undefined;
  let filled = 0;
  for await (const chunk of body) {
    for (let taken = 0; taken < chunk.length;) {
      block ??= Buffer.allocUnsafeSlow(blockSizeBytes);
      const part = chunk.subarray(taken, taken + blockSizeBytes - filled);
      block.set(part, filled);
      taken += part.length;
      filled += part.length;
      if (filled === blockSizeBytes) {
        yield block;
        [block, spare] = [spare, block];
        filled = 0;
      }
    }
  }
  if (block !== undefined && filled > 0) yield block.subarray(0, filled);
}
