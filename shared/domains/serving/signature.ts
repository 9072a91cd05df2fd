import { z } from 'zod';
import { timestampParts } from '../../core/timestamps.ts';

/** The type of a request's value. `integer` travels as a JSON number, `timestamp` as an ISO 8601 text. */
const columnTypes = ['number', 'integer', 'string', 'boolean', 'timestamp'] as const;
export type ColumnType = (typeof columnTypes)[number];

/** The element type of a model's input tensor of shape [rows, 1]. */
const columnTensors = ['float32', 'int64', 'string'] as const;
type ColumnTensor = (typeof columnTensors)[number];

const inputSchema = z.strictObject({
  /** The name of the model's input. */
  name: z.string().min(1),
  tensor: z.enum(columnTensors),
  /** The request's column that fills it. */
  column: z.string().min(1),
  /** Set when the input is a calendar part of a timestamp column. */
  part: z.enum(timestampParts).optional(),
});

/**
 * How rows become a model's inputs: the columns of a request's row, and the tensors that packing derives from them. It
 * is written into the model, so that its file alone says how to call it.
 */
export const signatureSchema = z
  .strictObject({
    columns: z
      .array(z.strictObject({ name: z.string().min(1), type: z.enum(columnTypes) }))
      .min(1)
      .max(10_000)
      .readonly(),
    inputs: z.array(inputSchema).min(1).max(10_000).readonly(),
  })
  .superRefine((signature, context) => {
    const types = new Map(signature.columns.map((column) => [column.name, column.type]));
    if (types.size !== signature.columns.length)
      context.addIssue({ code: 'custom', message: 'two columns share a name', path: ['columns'] });
    if (new Set(signature.inputs.map((input) => input.name)).size !== signature.inputs.length)
      context.addIssue({ code: 'custom', message: 'two inputs share a name', path: ['inputs'] });
    for (const [index, input] of signature.inputs.entries()) {
      const type = types.get(input.column);
      if (type === undefined || !fits(type, input.tensor, input.part !== undefined))
        context.addIssue({
          code: 'custom',
          message: `cannot be filled from column "${input.column}" (${type ?? 'absent'})`,
          path: ['inputs', index],
        });
    }
  });

export type Signature = z.infer<typeof signatureSchema>;
export type SignatureInput = Signature['inputs'][number];

function fits(type: ColumnType, tensor: ColumnTensor, isPart: boolean): boolean {
  if (type === 'timestamp') return isPart && tensor !== 'string';
  if (isPart) return false;
  switch (tensor) {
    case 'string':
      return type !== 'number';
    case 'int64':
      return type === 'integer';
    case 'float32':
      return type !== 'string';
  }
}
