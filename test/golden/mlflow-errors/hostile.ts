const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

export const large = 'x'.repeat(10 * 2 ** 20);

export const hostileKeys: Readonly<Record<string, string>> = {
  dots: '..',
  'a dot': '.',
  'dots inside': 'a/../b',
  'dots before': '../a',
  'a dot before': './a',
  'dots of Windows': '..\\..\\a',
  'two slashes': 'a//b',
  'a slash before': '/a',
  'a slash behind': 'a/',
  'encoded dots': '%2e%2e/a',
  'dots encoded twice': '%252e%252e/a',
  NUL: 'a\0b',
  'a line break': 'a\nb',
  'a line break behind': 'a\n',
  'a tab': 'a\tb',
  'a backslash': 'a\\b',
  'a quote': `a'b`,
  'two quotes': 'a"b',
  'an emoji': '🚀',
  'half an emoji': '\ud83d',
  'letters beyond ASCII': 'é',
  nothing: '',
  'a space': ' ',
  __proto__: '__proto__',
  constructor: 'constructor',
  toString: 'toString',
  '250 long': 'k'.repeat(250),
  '251 long': 'k'.repeat(251),
};

export const hostileNames: Readonly<Record<string, string>> = {
  dots: '..',
  'dots inside': 'a/../b',
  'encoded dots': '%2e%2e',
  'dots encoded twice': '%252e%252e%252f',
  NUL: 'a\0b',
  'a backslash': 'a\\b',
  'a line break': 'a\nb',
  'an emoji': '🚀 boost',
  'half an emoji': 'x\udc00',
  nothing: '',
  'a space': ' ',
  __proto__: '__proto__',
  constructor: 'constructor',
  'a quote': `a'; DROP TABLE runs; --`,
  '255 long': 'n'.repeat(255),
  '256 long': 'n'.repeat(256),
  '500 long': 'n'.repeat(500),
  '501 long': 'n'.repeat(501),
};

export const strangeNumbers: Readonly<Record<string, unknown>> = {
  nothing: 0,
  'below nothing': -1,
  '50000': 50_000,
  '50001': 50_001,
  'a fraction': 1.5,
  'a word': 'many',
  true: true,
  'a list': [1],
  'beyond 2^31': 2 ** 31,
};

export const strangeTokens: Readonly<Record<string, unknown>> = {
  'a word': 'word',
  'nonsense in base64': 'AAAA',
  'an offset below nothing': Buffer.from('{"offset":-1}').toString('base64'),
  'a list in base64': Buffer.from('[1,2]').toString('base64'),
  'an emoji': '🚀',
  long: 'A'.repeat(5_000),
};

export const strangeBodies: Readonly<Record<string, string>> = {
  nothing: '',
  'a brace': '{',
  'a cut text': '{"name":"cut',
  'a list': '[]',
  'a list of objects': '[{"name":"x"}]',
  'a text': '"name"',
  'a number': '7',
  null: 'null',
  'two objects': '{"name":"a"}{"name":"b"}',
  'a comma too many': '{"name":"a",}',
  NaN: '{"name":NaN}',
  'a list 200 deep': `{"name":${deep(200)}}`,
  'an unknown member 200 deep': `{"run_id":"absent","unknown":${deep(200)}}`,
  'a list 50000 deep': `{"name":${deep(50_000)}}`,
  'form data': 'name=a&b=c',
};
