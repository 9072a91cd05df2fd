/** An HTTP answer as sent, without its date. */
export interface RawAnswer {
  readonly status: number;
  /** Lower case, sorted, without `date`. */
  readonly headers: readonly string[];
  readonly body: string;
  /** The connection was closed before the end of the answer. */
  readonly isCut: boolean;
}

/**
 * Parses the answers on a connection that the server has closed.
 *
 * @param methods of the requests: an answer to HEAD has no body
 */
export function parseAnswers(bytes: Buffer, methods: readonly string[]): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes.toString('latin1');
  while (rest !== '') {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) return [...answers, { status: 0, headers: [], body: rest, isCut: true }];
    const [statusLine = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    rest = rest.slice(headEnd + 4);
    const headers = lines
      .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
      .filter((line) => !line.startsWith('date:'))
      .sort();
    const isBodyless = status < 200 || status === 204 || status === 304 || methods[answers.length] === 'HEAD';
    const read = isBodyless ? { body: '', rest, isCut: false } : readBody(rest, headers);
    if (status >= 200) answers.push({ status, headers, body: read.body, isCut: read.isCut });
    else answers.push({ status, headers, body: '', isCut: false });
    rest = read.rest;
  }
  return answers;
}

function readBody(text: string, headers: readonly string[]) {
  const length = headers.find((line) => line.startsWith('content-length:'))?.slice(15);
  if (length !== undefined) {
    const size = Number(length);
    return { body: text.slice(0, size), rest: text.slice(size), isCut: text.length < size };
  }
  if (!headers.includes('transfer-encoding: chunked')) return { body: text, rest: '', isCut: false };
  let body = '';
  let rest = text;
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(rest);
    if (!size) return { body: body + rest, rest: '', isCut: true };
    const sizeBytes = Number.parseInt(size[1]!, 16);
    rest = rest.slice(size[0].length);
    if (rest.length < sizeBytes + 2) return { body: body + rest, rest: '', isCut: true };
    body += rest.slice(0, sizeBytes);
    rest = rest.slice(sizeBytes + 2);
    if (sizeBytes === 0) return { body, rest, isCut: false };
  }
}
