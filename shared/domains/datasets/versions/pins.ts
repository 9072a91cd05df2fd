import { z } from 'zod';
import type { Clock } from '../../../core/clock.ts';
import type { DatasetDocuments, DocumentKind } from '../catalog/dataset-documents.ts';
import type { Versions } from './versions.ts';

/** Keeps a version from being vacuumed. */
export const versionPinSchema = z.object({
  pinId: z.string(),
  version: z.int(),
  reason: z.string(),
  by: z.string(),
  at: z.number(),
});
export type VersionPin = z.infer<typeof versionPinSchema>;

/** A pin's name, and the version it keeps, in any of the ways to name one. */
export interface PinPlace {
  readonly name: string;
  readonly version: string;
}

export interface PinsDeps {
  readonly documents: DatasetDocuments;
  readonly versions: Pick<Versions, 'find'>;
  readonly clock: Clock;
}

/** The pins of datasets. One name may pin several versions. */
export class Pins {
  readonly #deps: PinsDeps;
  readonly #pins: DocumentKind<VersionPin>;

  constructor(deps: PinsDeps) {
    this.#deps = deps;
    this.#pins = deps.documents.kind('pin');
  }

  /** Pins a version. @throws NOT_FOUND for a version that does not exist; INVALID_ARGUMENT for an invalid version name */
  async put(dataset: string, place: PinPlace, reason: string, by: string): Promise<VersionPin> {
    const { versions, clock } = this.#deps;
    const version = await versions.find(dataset, place.version);
    const pin = { pinId: toPinId(place.name, version), version, reason, by, at: clock.now() };
    await this.#pins.set(dataset, documentId(pin), pin, { by, action: 'dataset.version.pinned' });
    return pin;
  }

  /** Unpins a version. @throws NOT_FOUND for a version or pin that does not exist */
  async delete(dataset: string, place: PinPlace, by: string): Promise<void> {
    const version = await this.#deps.versions.find(dataset, place.version);
    const pinId = toPinId(place.name, version);
    const missing = `Version ${version} of the dataset "${dataset}" has no pin "${place.name}".`;
    await this.#pins.delete(dataset, documentId({ pinId }), missing, {
      by,
      action: 'dataset.version.unpinned',
    });
  }

  /** Newest first. */
  listAll(dataset: string): Promise<readonly VersionPin[]> {
    return this.#pins.listAll(dataset, { by: 'at', direction: 'desc' });
  }
}

function toPinId(name: string, version: number): string {
  return `${name}@${version}`;
}

function documentId({ pinId }: Pick<VersionPin, 'pinId'>): string {
  return `pin-${pinId}`;
}
