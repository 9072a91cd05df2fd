import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { splitIntoBlocks } from '../../shared/adapters/azure/blob/blocks.ts';

it('cuts any stream into full blocks and a shorter last one, from at most two buffers', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 40 }), async (source, blockSizeBytes) => {
      const stream = async function* () {
        yield* source;
      };
      const blocks: Buffer[] = [];
      const buffers = new Set<ArrayBufferLike>();
      for await (const block of splitIntoBlocks(stream(), blockSizeBytes)) {
        blocks.push(Buffer.from(block));
        buffers.add(block.buffer);
      }
      const whole = Buffer.concat(source);
      expect(Buffer.concat(blocks).equals(whole)).toBe(true);
      expect(blocks.slice(0, -1).every(({ length }) => length === blockSizeBytes)).toBe(true);
      expect(blocks).toHaveLength(Math.ceil(whole.length / blockSizeBytes));
      expect(buffers.size).toBeLessThanOrEqual(2);
    }),
  );
});

it('does not reuse the buffer of a block until the second block after it is requested', async () => {
  const stream = async function* () {
    for (let i = 0; i < 6; i += 1) yield Buffer.alloc(4, i);
  };
  let previous: Uint8Array | undefined;
  let index = 0;
  for await (const block of splitIntoBlocks(stream(), 4)) {
    expect(block.every((byte) => byte === index)).toBe(true);
    expect(previous?.every((byte) => byte === index - 1) ?? true).toBe(true);
    previous = block;
    index += 1;
  }
  expect(index).toBe(6);
});
