import { AppError } from '../../core/errors.ts';

export interface NamedColumns {
  readonly names: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Makes column names from the fields of a header.
 *
 * @throws UNPROCESSABLE when two names are equal ignoring case
 */
export function nameColumns(fields: readonly string[]): NamedColumns {
  const trimmed = fields.map((field) => field.trim());
  const taken = new Map<string, number>();
  for (const [index, name] of trimmed.entries()) {
    if (name === '') continue;
    const earlier = taken.get(name.toLowerCase());
    if (earlier !== undefined) throw sameName(trimmed[earlier]!, earlier + 1, name, index + 1);
    taken.set(name.toLowerCase(), index);
  }
  const notes: string[] = [];
  const names = trimmed.map((name, index) => {
    if (name !== '') return name;
    let made = `column_${index + 1}`;
    while (taken.has(made)) made += '_';
    taken.set(made, index);
    notes.push(`Column ${index + 1} has no name in the header and is called "${made}".`);
    return made;
  });
  return {
    names,
    notes:
      notes.length > 10 ? [...notes.slice(0, 10), `${notes.length - 10} more columns have no name.`] : notes,
  };
}

function sameName(first: string, firstPlace: number, second: string, secondPlace: number): AppError {
  const what =
    first === second
      ? `The header has the name "${first}" twice: columns ${firstPlace} and ${secondPlace}.`
      : `The header has the names "${first}" (column ${firstPlace}) and "${second}" (column ${secondPlace}), which are equal ignoring case; a table cannot have both.`;
  return new AppError('UNPROCESSABLE', `${what} Rename one of them.`, { columns: [firstPlace, secondPlace] });
}
