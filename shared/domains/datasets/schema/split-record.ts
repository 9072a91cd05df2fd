/**
 * Splits one record of a CSV file (RFC 4180, without its line end) into fields. A field with nothing between two
 * delimiters is null; `""` is the empty text.
 *
 * @example
 * splitRecord('1,"a, ""b""",,""', ',') // ['1', 'a, "b"', null, '']
 */
export function splitRecord(record: string, delimiter: string): (string | null)[] {
  if (!record.includes('"')) return record.split(delimiter).map((text) => (text === '' ? null : text));
  const fields: (string | null)[] = [];
  for (let at = 0; at <= record.length;) {
    if (record.startsWith('"', at)) {
      let end = record.indexOf('"', at + 1);
      while (end >= 0 && record[end + 1] === '"') end = record.indexOf('"', end + 2);
      if (end < 0) end = record.length;
      fields.push(record.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1 + delimiter.length;
    } else {
      const next = record.indexOf(delimiter, at);
      const end = next < 0 ? record.length : next;
      fields.push(end === at ? null : record.slice(at, end));
      at = end + delimiter.length;
    }
  }
  return fields;
}
