import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import { type PlacedFault, unknownName } from '../../../core/faults.ts';
import type { JsonSchema } from '../../../core/json/json-schema.ts';
import { metrics as catalog } from '../../../core/stats/metrics/catalog.ts';
import type { Metric } from '../../../core/stats/metrics/metric.ts';

const thresholdSchema = z
  .strictObject({
    metric: z.string(),
    /** For a metric that is better the higher it is. */
    atLeast: z.number().optional(),
    /** For a metric that is better the lower it is. */
    atMost: z.number().optional(),
  })
  .superRefine((threshold, context) => {
    const metric = findMetric(threshold.metric);
    for (const fault of checkThreshold(threshold, metric))
      context.addIssue({ code: 'custom', path: [...fault.path], message: fault.message });
  });
type Threshold = z.infer<typeof thresholdSchema>;

const forms = '{"metric", "atLeast"}, {"metric", "atMost"} or "none"';

/** What a model must reach to be deployed; "none" deploys every model. */
export const gateSchema = z.union([z.literal('none'), thresholdSchema], { error: `must be ${forms}` });
export type Gate = z.infer<typeof gateSchema>;

function findMetric(name: string): Metric | undefined {
  return new Map<string, Metric>(Object.entries(catalog)).get(name);
}

function checkThreshold({ metric: name, ...bounds }: Threshold, metric: Metric | undefined): PlacedFault[] {
  const given = (['atLeast', 'atMost'] as const).filter((side) => bounds[side] !== undefined);
  const [side] = given;
  const right = metric && sideOf(metric);
  if (side === undefined)
    return [{ path: [], message: right ? sayInstead(name, metric) : 'Say "atLeast" or "atMost".' }];
  if (given.length === 2)
    return [{ path: ['atMost'], message: 'Say "atLeast" or "atMost", not both of them.' }];
  if (!metric) return [];
  if (right !== undefined && side !== right) return [{ path: [side], message: sayInstead(name, metric) }];
  const [min, max] = metric.range;
  const value = bounds[side]!;
  if (value >= min && value <= max) return [];
  return [{ path: [side], message: `${value} is outside of the range of ${name}, ${min} to ${max}.` }];
}

/** Undefined for a figure that is neither good nor bad: it may be bounded on either side. */
function sideOf({ direction }: Metric): 'atLeast' | 'atMost' | undefined {
  if (direction === 'none') return undefined;
  return direction === 'higher' ? 'atLeast' : 'atMost';
}

function sayInstead(name: string, metric: Metric): string {
  return `Say "${sideOf(metric)}": ${name} is better the ${metric.direction} it is.`;
}

/**
 * Whether the gate names a metric that will be measured.
 *
 * @param gate unchecked
 * @param measured the output that has `metrics`; any metric of the catalog may be there when it does not say which
 */
export function checkGateMetric(gate: unknown, measured: JsonSchema | undefined): readonly PlacedFault[] {
  const { data } = z.object({ metric: z.string() }).safeParse(gate);
  const known = Object.keys(measured?.properties?.['metrics']?.properties ?? catalog);
  if (!data || known.includes(data.metric)) return [];
  const isKnown = findMetric(data.metric) !== undefined;
  const message = isKnown ? 'This training does not measure' : 'There is no metric';
  return [
    unknownName(['metric'], `${message} ${JSON.stringify(data.metric.slice(0, 100))}`, data.metric, known),
  ];
}

/** @throws UNPROCESSABLE when a model does not pass: training it again would not make it better */
export function passGate(gate: Gate, measured: Readonly<Record<string, number>>, what: string): void {
  if (gate === 'none') return;
  const { metric, atLeast, atMost } = gate;
  const value = Object.hasOwn(measured, metric) ? measured[metric] : undefined;
  if (value === undefined) {
    const message = `The gate asks for "${metric}", which training did not measure.`;
    throw new AppError('UNPROCESSABLE', message, { measured: Object.keys(measured) });
  }
  if ((atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost)) return;
  const miss = atLeast === undefined ? `above ${atMost}` : `below ${atLeast}`;
  const message = `${what} stays undeployed: ${metric} is ${value}, ${miss}.`;
  throw new AppError('UNPROCESSABLE', message, { value, ...gate });
}
