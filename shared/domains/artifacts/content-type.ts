/**
 * Text of any kind is `text/plain`, so that browsers run nothing from the platform's address. The file names `MLmodel`
 * and `MLproject` count as extensions.
 */
const text =
  'txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv md rst ipynb mlmodel mlproject'.split(
    ' ',
  );

const types: ReadonlyMap<string, string> = new Map([
  ...text.map((extension) => [extension, 'text/plain'] as const),
  ['avif', 'image/avif'],
  ['bmp', 'image/bmp'],
  ['css', 'text/css'],
  ['gif', 'image/gif'],
  ['h5', 'application/x-hdf5'],
  ['htm', 'text/html'],
  ['html', 'text/html'],
  ['ico', 'image/vnd.microsoft.icon'],
  ['jpeg', 'image/jpeg'],
  ['jpg', 'image/jpeg'],
  ['mov', 'video/quicktime'],
  ['mp3', 'audio/mpeg'],
  ['mp4', 'video/mp4'],
  ['mpeg', 'video/mpeg'],
  ['mpg', 'video/mpeg'],
  ['pdf', 'application/pdf'],
  ['png', 'image/png'],
  ['svg', 'image/svg+xml'],
  ['tar', 'application/x-tar'],
  ['tif', 'image/tiff'],
  ['tiff', 'image/tiff'],
  ['wav', 'audio/x-wav'],
  ['webm', 'video/webm'],
  ['webp', 'image/webp'],
  ['zip', 'application/zip'],
]);

/**
 * What a file is, by its name alone; `application/octet-stream` when that says nothing. What an uploader claims is
 * never believed.
 *
 * @example
 * guessContentType('plots/loss.png') // 'image/png'
 */
export function guessContentType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/(?<=\.\w+)\.(?:gz|bz2|xz)$/i, '');
  const dot = name.lastIndexOf('.');
  // A dot at the start begins a name, not an extension.
  const extension = dot <= 0 ? name : name.slice(dot + 1);
  return types.get(extension.toLowerCase()) ?? 'application/octet-stream';
}
