/**
 * Cuts a stream into blocks of one size; only the last may be shorter, and an empty stream has none. Two buffers
 * take turns, so memory stays at two blocks however long the stream: a block is overwritten when the block after
 * the next is asked for.
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
